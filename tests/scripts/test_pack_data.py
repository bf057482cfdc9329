"""The packed data: small, readable, split as before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from brushwork.dataset.collection import photos_and_paintings
from brushwork.dataset.splits import read_split_file
from scripts.pack_data import chosen, main


@pytest.fixture
def data(photos: list[Path], paintings: list[Path], tmp_path: Path) -> Path:
    """Two pictures of each kind to train on, one to validate and one more name for the test."""
    split = {}
    for kind, pictures in (("content", photos), ("style", paintings)):
        folder = tmp_path / "data" / kind
        folder.mkdir(parents=True)
        names = [f"{kind}/{Path(shutil.copy(picture, folder)).name}" for picture in pictures]
        split[kind] = {"train": names[:2], "val": names[2:], "test": [f"{kind}/missing.jpg"]}
    (tmp_path / "data" / "split.json").write_text(json.dumps(split))
    return tmp_path / "data"


def test_pictures_are_small_and_keep_their_split(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "packed"
    assert main([str(data), str(out), "--side", "96"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" pictures, ")[0] for line in said] == [
        f"{out / k / '1'}: 3" for k in ("content", "style")
    ]
    for kind in ("content", "style"):
        pictures = sorted(file.name for file in (data / kind).iterdir())
        packed = [f"1/{name}.webp" for name in pictures]
        before = read_split_file(data / "split.json", data / kind).splits(pictures)
        assert sorted(before) == ["train", "train", "val"]
        assert read_split_file(out / "split.json", out / kind).splits(packed) == before
        assert "missing" not in (out / "split.json").read_text()
        for file in (out / kind / "1").iterdir():
            with Image.open(file) as small, Image.open(data / kind / file.stem) as picture:
                assert (small.format, min(small.size)) == ("WEBP", 96)
                assert small.width / small.height == pytest.approx(picture.width / picture.height, rel=0.02)
    # Training takes them as they are.
    found = photos_and_paintings(out / "content", out / "style", out / "split.json", 0.15)
    assert [(len(kind.train), len(kind.val)) for kind in found] == [(2, 1), (2, 1)]


def test_no_folder_is_larger_than_allowed(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "packed"
    assert main([str(data), str(out), "--side", "96", "--folder", "0.004"]) == 0
    folders = sorted(out.glob("*/*"))
    assert len(folders) > 2
    for folder in folders:
        sizes = [file.stat().st_size for file in folder.iterdir()]
        assert sum(sizes) <= 0.004 * 2**20 or len(sizes) == 1
    packed = [f"{file.parent.name}/{file.name}" for file in (out / "style").glob("*/*")]
    assert len(packed) == 3
    assert sorted(read_split_file(out / "split.json", out / "style").splits(packed)) == [
        "train",
        "train",
        "val",
    ]


def test_small_pictures_keep_their_size_and_validation_may_stay_behind(data: Path, tmp_path: Path) -> None:
    assert main([str(data), str(tmp_path / "packed"), "--side", "9999", "--val", "0"]) == 0
    files = sorted((tmp_path / "packed").glob("*/*/*"))
    assert len(files) == 4
    for file in files:
        with Image.open(file) as same, Image.open(data / file.parents[1].name / file.stem) as picture:
            assert same.size == picture.size


def test_a_few_that_validate_are_spread() -> None:
    names = [f"style/{i}.jpg" for i in range(10)]
    split = {kind: {"train": [], "val": names, "test": []} for kind in ("content", "style")}
    assert chosen(split, 3)["style"]["val"] == [names[0], names[3], names[6]]


def test_bad_input_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "out")]) == 2
    assert "scripts.pack_data: " in capsys.readouterr().err
