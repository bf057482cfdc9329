"""Finding, reading, splitting and cropping pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, features

from brushwork.dataset.folder import PictureFolder
from brushwork.dataset.splits import hash_split
from brushwork.pictures.reading import read_picture
from brushwork.pictures.tensors import resize_shorter
from brushwork.training.crop_pool import CropPool, CropRule, batch_indices


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


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("white", (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to show
    image.save(tmp_path / "turned.png", exif=exif)

    shown = read_picture(tmp_path / "turned.png")

    assert shown.size == (20, 40)
    assert shown.getpixel((10, 2)) == (255, 255, 255)
    assert shown.getpixel((10, 37)) == (0, 0, 255)


def test_transparency_becomes_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    image.save(tmp_path / "alpha.png")

    shown = read_picture(tmp_path / "alpha.png")

    assert shown.getpixel((0, 0)) == (255, 255, 255)
    assert shown.getpixel((1, 0)) == (127, 127, 127)
    assert shown.getpixel((2, 0)) == (255, 0, 0)


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    for name in ("grey.png", "grey.tif"):
        Image.fromarray(ramp).save(tmp_path / name)
        shown = np.asarray(read_picture(tmp_path / name))
        assert np.array_equal(shown, np.stack([ramp >> 8] * 3, 2))


def test_hash_split_is_stable_and_about_80_10_10() -> None:
    splits = [hash_split(f"folder/{i}.jpg") for i in range(5000)]
    shares = [splits.count(name) / 5000 for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.015)


def test_split_by_hash_partitions_and_ignores_where_the_folder_lies(tmp_path: Path) -> None:
    for parent in ("one", "two"):
        (tmp_path / parent).mkdir()
        for i in range(40):
            Image.new("RGB", (16, 16), (i, i, i)).save(tmp_path / parent / f"{i}.png")
    one, two = (PictureFolder.scan(tmp_path / parent) for parent in ("one", "two"))
    parts = [one.split(name) for name in ("train", "val", "test")]
    assert sorted(p for part in parts for p in part) == one.paths
    assert [p.name for p in one.split("train")] == [p.name for p in two.split("train")]


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


def test_resize_shorter_keeps_proportion() -> None:
    assert resize_shorter(Image.new("RGB", (300, 200)), 100).size == (150, 100)
    assert resize_shorter(Image.new("RGB", (10, 1000)), 20).size == (20, 2000)


def test_crop_rule_refuses_crops_larger_than_the_picture() -> None:
    with pytest.raises(ValueError, match="A crop of 64 px needs pictures of 32 to 80 px"):
        CropRule(64, 32, 80)


def test_pool_is_reproducible_and_varied(photos: list[Path]) -> None:
    rule = CropRule(32, 48, 96)
    pool = CropPool(photos, rule, variants=3, seed=5)
    again = CropPool(photos, rule, variants=3, seed=5)
    other_round = CropPool(photos, rule, variants=3, seed=5, round_=1)

    assert pool.crops.shape == (len(photos) * 3, 3, 32, 32)
    assert torch.equal(pool.crops, again.crops)
    assert len({crop.numpy().tobytes() for crop in pool.crops}) == len(pool)
    assert not torch.equal(pool.crops, other_round.crops)
    # Crop k of picture i does not depend on which other pictures there are.
    alone = CropPool(photos[:1], rule, variants=3, seed=5)
    assert torch.equal(pool.crops[:3], alone.crops)
    batch = pool.batch(torch.tensor([4, 0]), torch.device("cpu"))
    assert batch.dtype == torch.float32
    assert batch.max() <= 1
    assert torch.equal((batch * 255).round().byte(), pool.crops[[4, 0]])


def test_crops_lie_inside_the_picture_and_are_mirrored_half_the_time(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (96, 1))
    Image.fromarray(np.stack([ramp] * 3, 2)).save(tmp_path / "ramp.png")
    pool = CropPool([tmp_path / "ramp.png"], CropRule(32, 96, 96), variants=200, seed=0)
    rises = (pool.crops[:, 0, 0, -1].int() > pool.crops[:, 0, 0, 0].int()).float().mean()
    assert 0.35 < rises < 0.65


def test_every_epoch_sees_every_item_once_in_a_new_order() -> None:
    batch, length = 4, 10
    seen = torch.cat([batch_indices(step, batch, length, seed=3) for step in range(10)])
    epochs = seen.view(4, 10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4
    assert not torch.equal(batch_indices(0, batch, length, seed=4), batch_indices(0, batch, length, seed=3))
