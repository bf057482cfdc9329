"""Contact sheets in pages, and folders for the blind comparison."""

from __future__ import annotations

import shutil

from PIL import Image

from benchmarks.peers import Setup, UntouchedContent
from benchmarks.quality.pairs import Pair, evenly
from benchmarks.quality.sheets import save_pictures, save_sheet
from brushwork.cli.main import main
from brushwork.pictures.comparison_sheet import GAP, MARGIN


def test_sheets_in_pages_and_pictures_for_the_blind_comparison(ours, gallery, pairs, tmp_path, capsys):
    systems = [ours, UntouchedContent(Setup())]
    files = save_sheet(gallery, systems, pairs, tmp_path / "sheets" / "s.png", page_rows=3, cell=64)
    assert [file.name for file in files] == ["s-01.png", "s-02.png"]
    with Image.open(files[0]) as three, Image.open(files[1]) as one:
        assert three.width == one.width == 2 * MARGIN + 4 * (64 + GAP) - GAP
        assert three.height > 2 * one.height
    folders = save_pictures(gallery, systems, evenly(pairs, 3), tmp_path / "pictures")
    assert [folder.name for folder in folders] == ["Brushwork", "untouched-content"]
    names = {"photo-portrait-astronaut__art-vangogh-starry-night.png"}
    names |= {"photo-portrait-astronaut__art-hokusai-great-wave.png"}
    names |= {"photo-animal-otters__art-vangogh-starry-night.png"}
    assert {file.name for file in folders[0].iterdir()} == names
    for kind in Pair._fields:
        (tmp_path / kind).mkdir()
        for pair in pairs:
            shutil.copy(getattr(pair, kind), tmp_path / kind)
    command = ["judge", "sheet", *map(str, folders), "--out", str(tmp_path / "blind")]
    assert main([*command, "--content", str(tmp_path / "content"), "--style", str(tmp_path / "style")]) == 0
    assert "3 rows" in capsys.readouterr().out
    assert (tmp_path / "blind" / "hand-out" / "page-01.jpg").is_file()
