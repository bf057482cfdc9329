"""Lab against published values, and what the two ways to keep colours promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brushwork.models.colour import lab_to_rgb, luminance_only, match_histogram, rgb_to_lab


def pixel(*values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)


# Bruce Lindbloom's calculator: sRGB, D65, no adaptation.
@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (100, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((0.5, 0.5, 0.5), (53.39, 0, 0)),
    ],
)
def test_lab_of_known_colours(rgb, lab):
    torch.testing.assert_close(rgb_to_lab(pixel(*rgb)), pixel(*lab), atol=0.02, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_there_and_back(dtype):
    image = torch.rand(2, 3, 16, 16, dtype=dtype)
    image[0, :, 0, :4] = torch.tensor([0.0, 1.0, 0.002, 0.04], dtype=dtype)
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(image)), image, atol=1e-4, rtol=0)


def test_greys_have_no_colour():
    greys = torch.linspace(0, 1, 50, dtype=torch.float64).view(1, 1, 1, -1).expand(1, 3, 1, -1)
    lab = rgb_to_lab(greys)
    assert lab[:, 1:].abs().max() < 1e-6
    assert (lab[0, 0, 0].diff() > 0).all()


def test_lab_has_finite_gradients_everywhere():
    image = torch.tensor([0.0, 0.04045, 1.0]).view(1, 1, 1, 3).repeat(1, 3, 1, 1).requires_grad_()
    lab_to_rgb(rgb_to_lab(image)).sum().backward()
    assert torch.isfinite(image.grad).all()


def test_luminance_only_takes_light_from_one_and_colour_from_the_other(photo, artwork):
    painted = torch.nn.functional.interpolate(artwork, photo.shape[-2:])
    kept = luminance_only(photo, painted)
    assert kept.min() >= 0
    assert kept.max() <= 1
    lab, light, colour = rgb_to_lab(kept), rgb_to_lab(painted)[:, 0], rgb_to_lab(photo)[:, 1:]
    assert (lab[:, 0] - light).abs().max() < 0.5
    # Chroma may shrink to fit the gamut, hue and sign may not change.
    chroma, wanted = lab[:, 1:].norm(dim=1), colour.norm(dim=1)
    assert (chroma <= wanted + 0.5).all()
    strong = (chroma > 5) & (wanted > 5)
    cosine = torch.cosine_similarity(lab[:, 1:], colour, dim=1)[strong]
    assert strong.any()
    assert cosine.min() > 0.99


def test_luminance_only_of_a_picture_with_itself_is_that_picture(photo):
    torch.testing.assert_close(luminance_only(photo, photo), photo, atol=1e-3, rtol=0)


def test_luminance_only_leaves_its_inputs_alone(photo):
    before = photo.clone()
    luminance_only(photo, photo.flip(-1))
    assert torch.equal(photo, before)


def test_histogram_of_equal_sizes_is_taken_over_exactly():
    painted, photo = torch.rand(2, 3, 8, 9), torch.rand(2, 3, 8, 9) ** 3
    matched = match_histogram(painted, photo)
    torch.testing.assert_close(
        matched.flatten(2).sort().values, photo.flatten(2).sort().values, atol=1e-6, rtol=0
    )
    np.testing.assert_array_equal(matched.flatten(2).argsort(), painted.flatten(2).argsort())


def test_histogram_of_another_size_is_interpolated(photo, artwork):
    matched = match_histogram(artwork, photo)
    assert matched.shape == artwork.shape
    levels = torch.linspace(0.02, 0.98, 25)
    for c in range(3):
        found, wanted = matched[0, c].flatten().quantile(levels), photo[0, c].flatten().quantile(levels)
        assert (found - wanted).abs().max() < 0.02


def test_equal_values_stay_equal():
    painted = torch.tensor([0.2, 0.2, 0.8, 0.8]).view(1, 1, 2, 2).expand(1, 3, 2, 2)
    matched = match_histogram(painted, torch.rand(1, 3, 2, 2))
    assert torch.equal(matched[:, :, 0, 0], matched[:, :, 0, 1])
    assert torch.equal(matched[:, :, 1, 0], matched[:, :, 1, 1])


def test_a_single_pixel_takes_the_photos_middle():
    photo = torch.tensor([0.1, 0.3, 0.9]).view(1, 1, 1, 3).expand(1, 3, 1, 3)
    matched = match_histogram(torch.full((1, 3, 1, 1), 0.6), photo)
    torch.testing.assert_close(matched, torch.full((1, 3, 1, 1), 0.3))
