"""A folder of pictures: what is found in it, and how it is split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, features

from brushwork.dataset.folder import PictureFolder


def test_scan_is_nested_sorted_and_counts_what_it_skips(tmp_path: Path, inputs_dir: Path) -> None:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    source = (inputs_dir / "art-hokusai-great-wave.jpg").read_bytes()
    (tmp_path / "b" / "deep" / "wave.JPG").write_bytes(source)
    Image.new("RGB", (20, 30), "red").save(tmp_path / "a.png")
    Image.new("P", (20, 30)).save(tmp_path / "c.gif")
    (tmp_path / "cut.jpg").write_bytes(source[: len(source) // 2])
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "notes.txt").write_text("not even by name")

    folder = PictureFolder.scan(tmp_path)

    assert [p.relative_to(tmp_path).as_posix() for p in folder.paths] == ["a.png", "b/deep/wave.JPG", "c.gif"]
    assert [p.name for p in folder.skipped] == ["cut.jpg", "text.png"]


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_scan_survives_what_decoders_stumble_over(tmp_path: Path, inputs_dir: Path) -> None:
    """libavif's binding raises RuntimeError, not OSError."""
    with Image.open(inputs_dir / "art-hokusai-great-wave.jpg") as image:
        image.resize((48, 32)).save(tmp_path / "whole.avif")
    whole = (tmp_path / "whole.avif").read_bytes()
    for place in range(100, 300, 4):
        (tmp_path / f"{place}.avif").write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
    folder = PictureFolder.scan(tmp_path)
    assert tmp_path / "whole.avif" in folder.paths
    assert len(folder.skipped) > 10


def test_scan_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no folder .*nowhere"):
        PictureFolder.scan(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no picture"):
        PictureFolder.scan(tmp_path)


def test_split_by_hash_partitions_and_ignores_where_the_folder_lies(tmp_path: Path) -> None:
    for parent in ("one", "two"):
        (tmp_path / parent).mkdir()
        for i in range(40):
            Image.new("RGB", (16, 16), (i, i, i)).save(tmp_path / parent / f"{i}.png")
    one, two = (PictureFolder.scan(tmp_path / parent) for parent in ("one", "two"))
    parts = [one.split(name) for name in ("train", "val", "test")]
    assert sorted(p for part in parts for p in part) == one.paths
    assert [p.name for p in one.split("train")] == [p.name for p in two.split("train")]


def test_split_file_goes_by_the_name_of_a_folder_that_is_given_as_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos" / "below").mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(tmp_path / "photos" / "a.png")
    split_file = tmp_path / "split.json"
    split_file.write_text(json.dumps({"photos": {"train": ["photos/a.png"], "val": []}}))
    for here, folder in ((tmp_path / "photos", "."), (tmp_path / "photos" / "below", "..")):
        monkeypatch.chdir(here)
        assert [p.name for p in PictureFolder.scan(folder).split("train", split_file)] == ["a.png"]


def test_split_file_decides(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.new("RGB", (16, 16)).save(tmp_path / "photos" / f"{name}.png")
    table = {"photos": {"train": ["photos/b.png"], "val": ["photos/a.png", "photos/gone.png"], "test": []}}
    split_file = tmp_path / "split.json"
    split_file.write_text(json.dumps(table))
    folder = PictureFolder.scan(tmp_path / "photos")

    assert [p.name for p in folder.split("train", split_file)] == ["b.png"]
    assert [p.name for p in folder.split("val", split_file)] == ["a.png"]
    split_file.write_text(json.dumps({"other": {}}))
    with pytest.raises(ValueError, match="no entry 'photos' with a 'train' list"):
        folder.split("train", split_file)
    with pytest.raises(ValueError, match="split is 'all'"):
        folder.split("all")
