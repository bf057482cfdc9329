"""A line of 3000 x 1 pixels costs training no more than another picture."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.pictures.reading import PictureError
from brushwork.pictures.tensors import as_tensor, crop_of_shorter, load_picture, load_square, resize_shorter
from brushwork.training.crop_pool import CropPool, CropRule


@pytest.mark.parametrize("size", [(3000, 1), (1, 3000), (65_000, 3)])
def test_a_line_is_cropped_before_it_is_enlarged(tmp_path: Path, monkeypatch, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "teal").save(tmp_path / "line.png")
    made: list[int] = []
    resize = Image.Image.resize

    def watched(image: Image.Image, to: tuple[int, int], *more: object, **options: object) -> Image.Image:
        made.append(to[0] * to[1])
        return resize(image, to, *more, **options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    pool = CropPool([tmp_path / "line.png"], CropRule(64, 64, 256), 3, seed=1)
    assert (pool.crops.float().mean((0, 2, 3)) - torch.tensor([0.0, 128.0, 128.0])).abs().max() < 1
    assert load_square(tmp_path / "line.png", 64).shape == (1, 3, 64, 64)
    assert max(made) <= 64 * 64


def test_the_crop_is_what_the_whole_would_show() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (10, 90, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((900, 100), Image.Resampling.BICUBIC)
    whole = resize_shorter(picture, 150)
    for left in (0, 700, whole.width - 64):
        cut = np.asarray(crop_of_shorter(picture, 150, left, 40, 64)).astype(int)
        expected = np.asarray(whole.crop((left, 40, left + 64, 104))).astype(int)
        assert np.abs(cut - expected).max() <= 2


def test_a_whole_line_is_refused_in_a_sentence() -> None:
    line = Image.new("RGB", (3000, 1))
    for read in (resize_shorter, load_picture):
        with pytest.raises(ValueError, match=r"3000 x 1 pixels is too long for a shorter side of 512: "):
            read(line, 512)


def test_floats_need_no_second_copy() -> None:
    picture = Image.effect_noise((700, 600), 60).convert("RGB")
    expected = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
    read = as_tensor(picture)
    assert torch.equal(read, expected)
    assert read.stride() == expected.stride()
    tracemalloc.start()
    as_tensor(picture)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # NumPy's memory is traced, and so the result is, too.
    assert peak - read.nbytes < 700 * 600 * 3


def test_a_picture_that_goes_bad_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(PictureError, match=r"a\.png is not a picture that can be read"):
        CropPool([tmp_path / "a.png"], CropRule(64, 64, 64), 1, seed=1)
