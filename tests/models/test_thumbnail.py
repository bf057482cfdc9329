"""Thumbnails: what they show, how large they are. Hostile ones are in test_style_file.py."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.models.thumbnail import decode_thumbnail, encode_thumbnail, paint_thumbnail


@pytest.mark.parametrize("size", [(128, 128), (4000, 900), (1, 1), (3, 900)])
def test_they_stay_small_even_of_noise(size):
    data = encode_thumbnail(Image.effect_noise(size, 120).convert("RGBA"))
    assert len(data) <= 12 * 1024
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
        assert max(picture.size) == min(160, max(size))


def test_they_look_like_the_picture(photo):
    picture = Image.fromarray(photo[0].permute(1, 2, 0).mul(255).byte().numpy())
    seen = decode_thumbnail(encode_thumbnail(picture))
    expected = picture.resize(seen.size, Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(seen).astype(float) - np.asarray(expected)).mean() < 6


def test_a_photo_is_painted_in_the_style(gan, artwork, photo):
    first, second = (paint_thumbnail(gan, gan.encode_style(p)) for p in (artwork, photo))
    assert first.size == second.size == (160, 160)
    difference = np.asarray(first).astype(float) - np.asarray(second).astype(float)
    assert np.abs(difference).mean() > 10


def test_a_code_without_a_batch(gan, artwork):
    code = gan.encode_style(artwork)
    assert paint_thumbnail(gan, code[0]).tobytes() == paint_thumbnail(gan, code).tobytes()


def test_a_code_of_another_network(gan):
    with pytest.raises(ValueError, match="encode the style with the same checkpoint"):
        paint_thumbnail(gan, torch.zeros(6, 24))
