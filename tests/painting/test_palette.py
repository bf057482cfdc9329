"""A photo's palette under a painting: of colourful photos, and of photos that have one hue or none."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.painting.palette import match_palette

SEPIA = torch.tensor([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def light(picture: Tensor) -> Tensor:
    """In the order of sums that the palette has, so that two lights are equal here if they are there."""
    red, green, blue = picture.unbind(1)
    return green + 0.299 * (red - green) + 0.114 * (blue - green)


def spread(picture: Tensor) -> Tensor:
    """How far the channels of each pixel are apart, in levels of 8 bits."""
    return (picture.amax(1) - picture.amin(1)) * 255


def gray(photo: Tensor) -> Tensor:
    return light(photo)[:, None].expand(-1, 3, -1, -1)


def sepia(photo: Tensor) -> Tensor:
    """As photo editors do it; bright places are clipped, so the hues are not on one line."""
    return torch.einsum("ij,bjhw->bihw", SEPIA, photo).clamp(0, 1)


def snow(photo: Tensor) -> Tensor:
    blue = torch.tensor([-0.02, 0.0, 0.03])[:, None, None]
    return (0.62 + 0.35 * gray(photo) + 0.12 * (photo - gray(photo)) + blue * (1 - gray(photo))).clamp(0, 1)


def fog(photo: Tensor) -> Tensor:
    far = torch.tensor([0.62, 0.66, 0.7])[:, None, None] + (photo - 0.5) * 0.15
    return F.avg_pool2d(far, 5, 1, 2, count_include_pad=False)


def night(photo: Tensor) -> Tensor:
    lamps = (gray(photo) > 0.85) * torch.tensor([0.5, 0.3, 0.05])[:, None, None]
    return (photo**3 * torch.tensor([0.35, 0.4, 0.8])[:, None, None] + lamps).clamp(0, 1)


@pytest.fixture
def painted(artwork: Tensor) -> Tensor:
    """All hues, at the size of no photo."""
    return artwork[:, :, :120, :150]


def test_a_black_and_white_photo_gives_black_and_white(painted, scene):
    photo = gray(scene)
    found = match_palette(painted, photo)
    assert spread(found).max() == 0
    quantiles = torch.linspace(0.02, 0.98, 25)
    assert (found[:, 0].quantile(quantiles) - photo[:, 0].quantile(quantiles)).abs().max() < 0.01


def test_lights_and_darks_keep_their_order(painted, scene):
    found = light(match_palette(painted, gray(scene))).flatten()
    assert (found[light(painted).flatten().argsort(stable=True)].diff() >= -1e-6).all()


def test_a_sepia_photo_gives_its_own_hues(painted, scene):
    photo = sepia(scene)
    found = match_palette(painted, photo)
    order = light(photo).flatten().argsort()
    places = torch.searchsorted(light(photo).flatten()[order], light(found).flatten().clamp(0, 1))
    of_that_light = photo.flatten(2)[0][:, order[places.clamp_max(len(order) - 1)]]
    apart = (found.flatten(2)[0] - of_that_light).abs().amax(0) * 255
    assert apart.quantile(0.99) < 4
    assert apart.max() < 12


def test_rounding_errors_of_the_painted_picture_stay_small(gan, photo, artwork):
    """They differ from processor to processor, and between a picture in one piece and in tiles."""
    painted = gan.stylize(photo, artwork)
    noise = 1e-6 * torch.randn(painted.shape, generator=torch.Generator().manual_seed(0))
    found, other = (match_palette(each, photo) for each in (painted, (painted + noise).clamp(0, 1)))
    errors = (found - other).abs().flatten().sort().values
    assert float(errors[int(0.999 * len(errors))]) < 5e-4
    assert float(errors[-1]) < 1 / 255


@pytest.mark.parametrize("few_hues", [snow, fog, night])
def test_photos_of_few_hues_get_no_others(painted, scene, few_hues):
    photo = few_hues(scene)
    found = match_palette(painted, photo)
    for first, second in ((0, 1), (2, 1), (0, 2)):
        wanted, got = (each[:, first] - each[:, second] for each in (photo, found))
        assert got.quantile(0.01) > wanted.min() - 0.01
        assert got.quantile(0.99) < wanted.max() + 0.01
        assert abs(got.mean() - wanted.mean()) < 0.01


def test_a_colourful_photo_gives_its_means_and_covariances(scene, photo):
    found, wanted = (each.flatten(2)[0] for each in (match_palette(scene, photo), photo))
    assert (found.mean(1) - wanted.mean(1)).abs().max() < 0.02
    assert (found.cov() - wanted.cov()).abs().max() < 0.25 * wanted.cov().abs().max()


def test_an_engraving_takes_the_hues_and_not_its_noise(photo):
    torch.manual_seed(0)
    engraving = gray(photo).clamp(0.05, 0.95)
    smooth = match_palette(engraving, photo)
    noisy = match_palette(engraving + torch.randn_like(engraving) * 0.002, photo)
    assert spread(smooth).mean() > 20
    differences = [(each[:, 0] - each[:, 1]) for each in (noisy, smooth)]
    assert (differences[0] - differences[1]).std() < 0.02


def test_equal_colours_stay_equal():
    painted = torch.rand(1, 3, 1, 8).repeat(1, 1, 16, 1)
    found = match_palette(painted, torch.rand(1, 3, 20, 20))
    assert torch.allclose(found, found[:, :, :1].expand_as(found), atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 3)])
def test_any_size_in_0_to_1_and_picture_by_picture(size):
    torch.manual_seed(1)
    painted, photo = torch.rand(2, 3, 9, 11), torch.rand(2, 3, *size)
    before = painted.clone(), photo.clone()
    both = match_palette(painted, photo)
    assert both.shape == painted.shape
    assert both.dtype == painted.dtype
    assert ((both >= 0) & (both <= 1)).all()
    for i in range(2):
        assert torch.equal(both[i : i + 1], match_palette(painted[i : i + 1], photo[i : i + 1]))
    assert torch.equal(painted, before[0])
    assert torch.equal(photo, before[1])


def test_black_stays_black_and_white_white(painted):
    for value in (0.0, 1.0):
        assert torch.equal(
            match_palette(painted, torch.full((1, 3, 8, 8), value)).unique(), torch.tensor([value])
        )
