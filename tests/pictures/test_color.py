"""Luma and Lab against published values, and the two ways to keep a photo's colours."""

from __future__ import annotations

import pytest
import torch

from brushwork.pictures.color import lab_to_rgb, luma, luminance_only, match_histogram, rgb_to_lab

# sRGB primaries and secondaries in CIE Lab, D65, as Lindbloom's calculator gives them.
KNOWN = {
    (1.0, 0.0, 0.0): (53.2408, 80.0925, 67.2032),
    (0.0, 1.0, 0.0): (87.7347, -86.1827, 83.1793),
    (0.0, 0.0, 1.0): (32.2970, 79.1875, -107.8602),
    (1.0, 1.0, 0.0): (97.1393, -21.5537, 94.4780),
    (0.0, 0.0, 0.0): (0.0, 0.0, 0.0),
    (1.0, 1.0, 1.0): (100.0, 0.0, 0.0),
    (0.5, 0.5, 0.5): (53.3890, 0.0, 0.0),
}


def test_luma_is_rec_601():
    colors = torch.eye(3)[:, :, None, None]
    assert luma(colors).flatten().tolist() == pytest.approx([0.299, 0.587, 0.114])


def pixel(*rgb):
    return torch.tensor(rgb, dtype=torch.float64).reshape(1, 3, 1, 1)


def noise(height, width, seed=0, batch=1):
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def hue(lab):
    return torch.atan2(lab[:, 2], lab[:, 1])


@pytest.mark.parametrize(("rgb", "lab"), KNOWN.items())
def test_known_colours(rgb, lab):
    assert rgb_to_lab(pixel(*rgb)).flatten().tolist() == pytest.approx(lab, abs=1e-3)


def test_there_and_back():
    image = noise(37, 53)
    assert torch.allclose(lab_to_rgb(rgb_to_lab(image)), image, atol=2e-5)
    assert torch.allclose(lab_to_rgb(rgb_to_lab(image.double())), image.double(), atol=1e-12)


def test_what_srgb_cannot_show_is_clipped():
    out = lab_to_rgb(torch.tensor([50.0, 300.0, -300.0]).reshape(1, 3, 1, 1))
    assert out.min() == 0
    assert out.max() == pytest.approx(1)


def test_luminance_takes_light_from_one_and_colour_from_the_other():
    # Muted colours at middle lightness: every combination exists in sRGB.
    photo, painted = 0.45 + 0.1 * noise(20, 30, 1), 0.4 + 0.2 * noise(20, 30, 2)
    out, wanted = rgb_to_lab(luminance_only(photo, painted)), rgb_to_lab(photo)
    assert torch.allclose(out[:, 1:], wanted[:, 1:], atol=5e-3)
    assert torch.allclose(out[:, 0], rgb_to_lab(painted)[:, 0], atol=5e-3)


def test_luminance_keeps_hue_and_light_where_the_colour_does_not_exist():
    photo, painted = noise(40, 40, 3), noise(40, 40, 4)
    out = luminance_only(photo, painted)
    assert out.min() >= 0
    assert out.max() <= 1
    lab, wanted = rgb_to_lab(out), rgb_to_lab(photo)
    assert torch.allclose(lab[:, 0], rgb_to_lab(painted)[:, 0], atol=0.2)
    chroma = lab[:, 1:].norm(dim=1)
    assert (chroma <= wanted[:, 1:].norm(dim=1) + 0.1).all()
    turned = torch.remainder(hue(lab) - hue(wanted) + torch.pi, 2 * torch.pi) - torch.pi
    assert turned[chroma > 5].abs().max() < 0.02


def test_luminance_of_itself_is_itself():
    image = noise(11, 13)
    assert torch.allclose(luminance_only(image, image), image, atol=2e-5)


def test_luminance_does_not_write_into_its_inputs():
    photo, painted = noise(8, 8, 5), noise(8, 8, 6)
    before = photo.clone(), painted.clone()
    luminance_only(photo, painted)
    match_histogram(painted, photo)
    assert torch.equal(photo, before[0])
    assert torch.equal(painted, before[1])


def test_histogram_of_equal_sizes_is_exact():
    # Distinct values: a rank for each.
    photo = torch.rand(1, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    painted = torch.rand(1, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) ** 2
    out = match_histogram(painted, photo)
    assert torch.allclose(out.flatten(2).sort().values, photo.flatten(2).sort().values)
    assert torch.equal(out.flatten(2).argsort(), painted.flatten(2).argsort())


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (64, 48)])
def test_histogram_of_other_sizes(size):
    photo, painted = 0.2 + 0.3 * noise(*size, seed=7), noise(32, 24, 8)
    out = match_histogram(painted, photo)
    assert out.shape == painted.shape
    assert out.min() >= photo.min()
    assert out.max() <= photo.max()
    quantiles = torch.linspace(0.1, 0.9, 9)
    found = torch.stack([c.quantile(quantiles) for c in out.flatten(2)[0]])
    wanted = torch.stack([c.quantile(quantiles) for c in photo.flatten(2)[0]])
    assert (found - wanted).abs().max() < 0.06


def test_histogram_keeps_equal_values_equal():
    painted = torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(3, 1).reshape(1, 3, 2, 2)
    photo = torch.tensor([0.1, 0.2, 0.3, 0.9]).repeat(3, 1).reshape(1, 3, 2, 2)
    out = match_histogram(painted, photo)
    assert out[0, 0].flatten().tolist() == pytest.approx([0.2, 0.2, 0.2, 0.9])


def test_histogram_works_picture_by_picture():
    photo, painted = noise(9, 9, 9, batch=2), noise(9, 9, 10, batch=2)
    both = match_histogram(painted, photo)
    for i in range(2):
        assert torch.equal(both[i : i + 1], match_histogram(painted[i : i + 1], photo[i : i + 1]))
