"""`brushwork judge`: from two folders or two checkpoints to a verdict."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tiny_network import TINY

from brushwork.cli.main import main
from brushwork.evaluation.judging.sheets import read_key
from brushwork.models.style_gan import StyleGAN


@pytest.fixture
def results(tmp_path: Path) -> list[str]:
    """Two folders of three results each."""
    for folder, color in (("peer", "crimson"), ("ours", "navy")):
        (tmp_path / folder).mkdir()
        for n in range(3):
            Image.new("RGB", (40, 30), color).save(tmp_path / folder / f"{n}__photo{n}__wave.png")
    return [str(tmp_path / "peer"), str(tmp_path / "ours")]


@pytest.fixture
def pictures(inputs_dir: Path, tmp_path: Path) -> list[str]:
    """Arguments for two photos and two paintings."""
    for kind, folder in (("photo", "photos"), ("art", "art")):
        (tmp_path / folder).mkdir()
        for path in sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:2]:
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    return ["--content", str(tmp_path / "photos"), "--style", str(tmp_path / "art")]


def answer(out: Path, wanted: str) -> Path:
    """The form, filled in by someone who always finds `wanted`, 'a' or 'b', better."""
    key = read_key(out / "key.json")
    with (out / "hand-out" / "answers.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    with (out / "filled.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for line, left in zip(lines, key.a_is_left, strict=True):
            writer.writerow([*line[:2], "l" if left == (wanted == "a") else "r"])
    return out / "filled.csv"


def test_from_two_folders_to_a_verdict(
    results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["judge", "sheet", *results, "--out", str(out), "--seed", "5"]) == 0
    said = capsys.readouterr().out
    assert f"3 rows. Hand out {out / 'hand-out'}" in said
    assert f"brushwork judge tally {out / 'key.json'} {out / 'hand-out' / 'answers.csv'}" in said
    assert main(["judge", "tally", str(out / "key.json"), str(answer(out, "b"))]) == 0
    said = capsys.readouterr().out
    assert "A  peer: 0 wins\nB  ours: 3 wins\nties: 0 of 3 rows" in said
    assert "A preferred in 0.0% of 3 decided rows (95% interval 0.0% to 56.1%, Wilson)" in said
    assert "No preference for peer or ours is proven: ours won 3 of 3 decided rows, p = 0.25." in said


def test_two_checkpoints_paint_the_same_pairs(
    pictures: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = []
    for name in ("before", "after"):
        StyleGAN(TINY).save(tmp_path / f"{name}.safetensors")
        checkpoints.append(str(tmp_path / f"{name}.safetensors"))
    out = tmp_path / "out"
    more = ["--pairs", "3", "--side", "48", "--device", "cpu", "--out", str(out)]
    assert main(["judge", "sheet", "--checkpoints", *checkpoints, *pictures, *more]) == 0
    names = [sorted(p.name for p in (out / "results" / side).iterdir()) for side in ("a", "b")]
    assert names[0] == names[1]
    assert len(names[0]) == 3
    assert names[0][0].startswith("001__photo-")
    assert not {p.name for p in (out / "hand-out").iterdir()} - {"page-01.jpg", "answers.csv"}
    assert main(["judge", "tally", str(out / "key.json"), str(answer(out, "a"))]) == 0
    assert "A  before: 3 wins" in capsys.readouterr().out
    # The results can be judged again, with photo and painting, as two folders.
    folders = [str(out / "results" / side) for side in ("a", "b")]
    again = ["--out", str(tmp_path / "again"), "--names", "old", "new", "--per-page", "1"]
    assert main(["judge", "sheet", *folders, *pictures, *again]) == 0
    assert len(list((tmp_path / "again" / "hand-out").glob("page-*.jpg"))) == 3
    assert json.loads((tmp_path / "again" / "key.json").read_text())["a"] == "old"


def test_odd_names_and_long_pictures_end_nothing(
    inputs_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, photos, art = tmp_path / "n.safetensors", tmp_path / "photos", tmp_path / "art"
    StyleGAN(TINY).save(network)
    for folder, names in ((photos, ("海" * 80, "\u202egnp")), (art, ("波" * 80, "a\x1b[31mb"))):
        folder.mkdir()
        for name in names:
            Image.effect_noise((60, 50), 60).save(folder / f"{name}.png")
    Image.effect_noise((3000, 1), 60).save(photos / "line.png")
    arguments = ["--content", str(photos), "--style", str(art), "--pairs", "12", "--side", "32"]
    checkpoints = ["--checkpoints", str(network), str(network), "--names", "a", "b", "--device", "cpu"]
    assert main(["judge", "sheet", *checkpoints, *arguments, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "line.png has 3000 x 1 pixels, which is too long for a sheet; crop it. The sheet goes" in said
    results = sorted(path.name for path in (tmp_path / "out" / "results" / "a").iterdir())
    assert results
    assert all(name.isprintable() and len(name.encode()) <= 255 for name in results)
    # They are found again by these names.
    folders = [str(tmp_path / "out" / "results" / side) for side in "ab"]
    again = ["--content", str(photos), "--style", str(art), "--out", str(tmp_path / "again")]
    assert main(["judge", "sheet", *folders, *again]) == 0

    for path in photos.iterdir():
        if path.name != "line.png":
            path.unlink()
    out = ["--out", str(tmp_path / "none")]
    assert main(["judge", "sheet", *checkpoints, *arguments, *out]) == 2
    assert "which is too long for a sheet; crop it." in capsys.readouterr().err


def test_every_bad_answer_is_listed(
    results: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["judge", "sheet", *results, "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["judge", "tally", str(out / "key.json"), str(out / "hand-out" / "answers.csv")]) == 2
    assert capsys.readouterr().err == "".join(
        f"brushwork judge: Row {n} has no answer; write l, r or =.\n" for n in (1, 2, 3)
    )


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        ([".", "../ours"], ("peer", "ours")),
        ([".", "../more/peer"], ("{0}", "{1}")),
        (["../ours", "../ours/"], ("{1} (A)", "{1} (B)")),
        ([".", "../\x1b[2J"], ("peer", "\\x1b[2J")),
    ],
)
def test_the_names_of_folders_tell_them_apart_in_the_tally(
    results: list[str], tmp_path: Path, monkeypatch, folders: list[str], names: tuple[str, str]
) -> None:
    peer, ours = map(Path, results)
    monkeypatch.chdir(peer)
    for folder in folders:
        if not Path(folder).exists():
            shutil.copytree(ours, folder)
    assert main(["judge", "sheet", *folders, "--out", str(tmp_path / "out")]) == 0
    key = read_key(tmp_path / "out" / "key.json")
    second = ours if "ours" in folders[1] else Path(os.path.abspath(folders[1]))
    assert (key.a, key.b) == tuple(name.format(peer, second) for name in names)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{0}"], "Give two folders of results, or --checkpoints A B."),
        (["{0}", "{1}", "--part", "test"], "--split and --part choose what --checkpoints paints"),
        (["{0}", "{1}", "--checkpoints", "a", "b"], "Give two folders of results or --checkpoints A B, not"),
        (["{0}", "lost"], "There is no folder lost"),
        (["{0}", "{1}", "--content", "{2}"], "has no picture for the result"),
        (["--checkpoints", "a", "b"], "Give both --content DIR"),
        (["--checkpoints", "a", "b", "--pairs", "0"], "--pairs is 0; give a whole number of 1 or more."),
        (["--checkpoints", "a", "b", "--side", "5"], "--side is 5; give a whole number of 32 or more."),
        (["{0}", "{1}", "--names", "new", "new"], "The names are 'new' and 'new'; give two different ones"),
        (["{0}", "{1}", "--names", "", "old"], "The names are '' and 'old'; give two different ones"),
        (["{0}", "{1}", "--names", "a\nb", "old"], "give two different ones on a line each"),
        (["{0}", "{1}", "--names", "n" * 1001, "old"], "of at most 1000 letters"),
    ],
)
def test_one_sentence_when_it_cannot(
    results: list[str],
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (20, 20)).save(other / "lake.png")
    filled = [argument.format(*results, other) for argument in arguments]
    assert main(["judge", "sheet", *filled, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("brushwork judge: ")
    assert sentence in error
    assert not (tmp_path / "out" / "key.json").exists()
