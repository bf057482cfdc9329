"""Smooth places of a photo that was rounded to 8 bits: painted like those of a photo that was not."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.quantization import unquantized, unquantized_rows


def rounded(picture):
    return (picture * 255).round() / 255


def sky(side=192):
    """It gets lighter and more yellow from top to bottom, and is the same from left to right."""
    rows = torch.linspace(0, 1, side)[:, None]
    return torch.stack([(0.45 + 0.25 * rows), (0.6 + 0.2 * rows), (0.85 + 0.08 * rows)]).expand(
        1, 3, side, side
    )


def dark_glow(side=192):
    rows, columns = torch.meshgrid(*[torch.linspace(-1, 1, side)] * 2, indexing="ij")
    return (0.12 - 0.08 * (rows.square() + columns.square()).sqrt().clamp_max(1)).expand(1, 3, side, side)


def roughness(picture):
    """How much neighbours differ, [B,C,H,W] -> levels of 255."""
    return 255 * sum(picture.diff(dim=axis).square().mean() for axis in (2, 3)).sqrt().item()


# Without the smoothing, the steps make it 1.4 and 2.8 times as rough.
@pytest.mark.parametrize(("photo", "most"), [(sky(), 1.1), (dark_glow(), 1.6)], ids=["sky", "glow"])
def test_the_steps_of_8_bits_are_not_painted(gan, artwork, photo, most):
    code = gan.encode_style(artwork)
    smooth, stairs = (gan.generate(gan.encode_content(each), code) for each in (photo, rounded(photo)))
    assert roughness(stairs) < most * roughness(smooth)


@pytest.mark.parametrize("photo", [sky(), dark_glow()], ids=["sky", "glow"])
def test_values_between_the_steps_are_found(photo):
    off = [
        (each - photo).diff(dim=2).square().mean().sqrt() * 255
        for each in (rounded(photo), unquantized(rounded(photo)))
    ]
    assert off[1] < 0.25 * off[0]


def test_a_photo_stays_what_it_was(gan, scene):
    photo = rounded(scene)
    smooth = unquantized(photo)
    assert (smooth - photo).abs().max() <= 0.6 / 255 + 1e-6
    assert torch.equal(gan.encode_content(photo).image, photo)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 2), (70, 51)])
@pytest.mark.parametrize("step", [1, 7, 32])
def test_rows_that_are_read_one_after_the_other_give_the_whole(size, step):
    picture = rounded(torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1)))
    height = size[0]
    rows = unquantized_rows(lambda start, stop: picture[:, :, start:stop], height)
    parts = [rows(start, min(height, start + step)) for start in range(0, height, step)]
    assert torch.equal(torch.cat(parts, 2), unquantized(picture))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_pictures_keep_their_type(dtype):
    picture = sky(48).to(dtype)
    smooth = unquantized(picture)
    assert smooth.dtype == dtype
    assert (smooth - picture).abs().max() <= 0.6 / 255 + torch.finfo(dtype).eps
