"""The benchmark of a folder: photos that differ, parts that are timed, and bad arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmarks import folder
from brushwork.base.shipped import demo_photos, library_styles
from brushwork.models.style_gan import StyleGAN
from brushwork.painting.styles import SavedStyle
from brushwork.painting.stylizer import Stylizer


def test_photos_are_cut_at_other_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "SIZE", (96, 72))
    cuts = []
    for number in (0, 1, 0):
        folder.cut_photo(demo_photos()[0], number, tmp_path / "cut.jpg")
        cuts.append((tmp_path / "cut.jpg").read_bytes())
    assert cuts[0] == cuts[2] != cuts[1]
    with Image.open(tmp_path / "cut.jpg") as image:
        assert image.size == (96, 72)


def test_every_photo_is_painted_and_some_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gan: StyleGAN
) -> None:
    monkeypatch.setattr(folder, "SIZE", (96, 72))
    style = SavedStyle(library_styles()[folder.STYLE])
    parts = folder.measure(demo_photos(), 5, 3, 2, style, Stylizer(gan), ".jpg")
    assert len(parts) == 2
    assert all(part.from_file_to_file > 0 and part.painted > 0 for part in parts)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["3", "5"]


@pytest.mark.parametrize("arguments", [["--pictures", "0"], ["--part", "-1"], ["--alone", "0"]])
def test_counts_below_one_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        folder.main(arguments)
    assert f"{arguments[0]} is {arguments[1]}; give 1 or more." in capsys.readouterr().err


@pytest.mark.parametrize(("name", "said"), [(".", "give a folder of photos"), ("none", "There is no folder")])
def test_a_folder_without_pictures_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    with pytest.raises(SystemExit):
        folder.main(["--content", str(tmp_path / name)])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_photo_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(folder, "SIZE", (96, 72))
    data = demo_photos()[0].read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: round(share * len(data))])
    with pytest.raises(SystemExit) as ended:
        folder.main(["--content", str(tmp_path), "--pictures", "1"])
    assert ended.value.code == 2
    assert f"--content: {tmp_path / 'cut.jpg'} is not a picture that can be read" in capsys.readouterr().err
