"""Strokes of any size: where they come from, and that nothing is lost where nothing is asked for."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.models.stroke_size import at_scale, combined, painted_scales, stroke_scale


@pytest.mark.parametrize("scale", [0.25, 0.7, 1.0, 1.3, 2.0, 3.5, 8.0])
def test_what_paints_nothing_gives_the_photo(scene, scale):
    """Each size gives the photo itself at that size; together they are the photo."""
    scales = painted_scales(scale)
    found = combined([at_scale(scene, each) for each in scales], scene.shape[2:])
    assert found.shape == scene.shape
    assert scales == sorted(scales)
    if scale == 1:
        assert found is scene
    # Resized twice, a photo is a little softer than resized once.
    assert (found - scene).abs().mean() < (1e-5 if 1 <= scale <= 2 else 0.02)


def test_broad_strokes_come_from_the_small_painting_and_outlines_from_the_large_one():
    torch.manual_seed(0)
    fine = (0.5 + 0.1 * torch.randn(1, 3, 64, 96)).clamp(0, 1)
    broad = (0.5 + 0.1 * torch.randn(1, 3, 16, 24)).clamp(0, 1)
    middle = torch.full((1, 3, 32, 48), 0.5)
    found = combined([fine, middle, broad], (64, 96))
    assert likeness(shrunk(found, (16, 24)), broad) > 0.9
    outlines = [picture - grown(shrunk(picture, (32, 48)), (64, 96)) for picture in (found, fine)]
    assert likeness(*outlines) > 0.9


def shrunk(picture, size):
    return F.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)


def grown(picture, size):
    return F.interpolate(picture, size, mode="bicubic", align_corners=False)


def likeness(a, b):
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]


def test_in_proportion_a_picture_of_twice_the_size_has_strokes_of_twice_the_size():
    for size, scale in (
        ((64, 5000), 1),
        ((768, 768), 1),
        ((1536, 2000), 2),
        ((3072, 4096), 4),
        ((6000, 9000), 8),
    ):
        assert stroke_scale(1.0, "proportion", size) == scale
        assert stroke_scale(0.5, "proportion", size) == scale / 2
        assert stroke_scale(0.5, "pixels", size) == 0.5


def test_another_measure_of_strokes_is_refused():
    with pytest.raises(ValueError, match="strokes is 'inches'; choose one of pixels, proportion"):
        stroke_scale(1.0, "inches", (8, 8))


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_a_picture_of_one_pixel(scale):
    pixel = torch.rand(1, 3, 1, 1)
    found = combined([at_scale(pixel, each) for each in painted_scales(scale)], (1, 1))
    assert torch.allclose(found, pixel, atol=1e-6)
