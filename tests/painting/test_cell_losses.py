"""Light, dark and hues stay where they belong: the losses and their gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.cell_losses import hue_loss, hues_of, light_loss, photo_light
from brushwork.pictures.color import luma


def loss_of(picture, lights, weight=1.0):
    gradient = torch.zeros_like(picture)
    return light_loss(picture, gradient, lights, weight), gradient


def textbook(picture, photo, cell):
    """1 - the correlation of the cells' brightness, times the trust in the photo's."""
    found, wanted = (F.avg_pool2d(luma(each), cell).flatten(1) for each in (picture, photo))
    variance = wanted.var(1, unbiased=False)
    pairs = zip(found, wanted, strict=True)
    together = torch.stack([torch.corrcoef(torch.stack(pair))[0, 1] for pair in pairs])
    return (1 - together) * variance / (variance + 0.03**2)


def test_loss_is_the_textbooks(texture):
    photo, picture = texture(2, 3, 75, 101), texture(2, 3, 75, 101, seed=1)
    wanted = (textbook(picture, photo, 8) + textbook(picture, photo, 16)) / 2
    assert loss_of(picture, photo_light(photo))[0].tolist() == pytest.approx(wanted.tolist(), abs=0.02)


def test_gradient_is_autograds(texture):
    photo, picture = texture(2, 3, 75, 101), texture(2, 3, 75, 101, seed=1)
    lights = photo_light(photo)
    _, gradient = loss_of(picture, lights, weight=3.0)
    step = torch.randn_like(picture) * 1e-5
    ahead, behind = (loss_of(picture + sign * step, lights)[0].sum() for sign in (1, -1))
    assert float((gradient * step).sum()) == pytest.approx(3 * float(ahead - behind) / 2, rel=1e-5)


@pytest.mark.parametrize("change", [lambda x: x, lambda x: 0.3 * x + 0.6, lambda x: x.flip(1)])
def test_brighter_flatter_or_in_other_colours_costs_little(texture, change):
    photo = texture(1, 1, 64, 64).expand(1, 3, 64, 64).contiguous()
    lights = photo_light(photo)
    assert float(loss_of(change(photo), lights)[0]) < 0.02
    assert float(loss_of(1 - photo, lights)[0]) > 0.5


def test_an_even_photo_asks_for_nothing(texture):
    even = 0.5 + 1e-4 * texture(1, 3, 64, 64)
    loss, gradient = loss_of(texture(1, 3, 64, 64, seed=1), photo_light(even))
    assert float(loss) < 1e-3
    assert float(gradient.abs().max()) < 1e-5


def test_regions_have_their_own_light(texture):
    """What is light beside the rest of its region may be dark beside another's."""
    photo = texture(1, 3, 64, 128)
    shares = torch.zeros(1, 2, 64, 128, dtype=photo.dtype)
    shares[:, 0, :, :64], shares[:, 1, :, 64:] = 1, 1
    picture = photo.clone()
    picture[..., 64:] = 0.2 * picture[..., 64:]
    assert float(loss_of(picture, photo_light(photo, shares))[0]) < 0.02
    assert float(loss_of(picture, photo_light(photo))[0]) > 0.1


@pytest.mark.parametrize("size", [(1, 1), (15, 300), (16, 16)])
def test_sizes_that_hold_few_cells(texture, size):
    photo, picture = texture(1, 3, *size), texture(1, 3, *size, seed=1)
    lights = photo_light(photo)
    assert len(lights) == (size == (16, 16))
    if lights:
        loss, gradient = loss_of(picture, lights)
        assert torch.isfinite(loss).all()
        assert torch.isfinite(gradient).all()


def hues_lost(picture, hues, weight=1.0):
    gradient = torch.zeros_like(picture)
    return hue_loss(picture, gradient, hues, weight), gradient


def test_hues_are_those_of_cells(texture):
    first, picture = texture(2, 3, 75, 101), texture(2, 3, 75, 101, seed=1)
    wanted = torch.zeros(2, dtype=first.dtype)
    for cell in (8, 16):
        cells = [F.avg_pool2d(each, cell) for each in (picture, first)]
        chroma = [each - each.mean(1, keepdim=True) for each in cells]
        wanted += (chroma[0] - chroma[1]).square().mean((1, 2, 3)) / 2
    spread = (first - first.mean((2, 3), keepdim=True)).square().mean((1, 2, 3))
    found = hues_lost(picture, hues_of(first))[0]
    assert found.tolist() == pytest.approx((wanted / (spread + 1e-3)).tolist())


def test_gradient_of_hues_is_that_of_their_loss(texture):
    first, picture = texture(2, 3, 75, 101), texture(2, 3, 75, 101, seed=1)
    hues = hues_of(first)
    _, gradient = hues_lost(picture, hues, weight=3.0)
    step = torch.randn_like(picture) * 1e-5
    ahead, behind = (hues_lost(picture + sign * step, hues)[0].sum() for sign in (1, -1))
    assert float((gradient * step).sum()) == pytest.approx(3 * float(ahead - behind) / 2, rel=1e-5)


def test_light_is_no_hue(texture):
    first = texture(1, 3, 64, 64)
    gray = 0.3 * texture(1, 1, 64, 64, seed=2)
    assert float(hues_lost(first + gray, hues_of(first))[0]) < 1e-12
    assert float(hues_lost(first.flip(1), hues_of(first))[0]) > 0.01


def test_gray_pictures_have_hues_too(texture):
    gray = torch.full((1, 3, 32, 32), 0.5)
    loss, gradient = hues_lost(texture(1, 3, 32, 32).float(), hues_of(gray))
    assert torch.isfinite(loss).all()
    assert torch.isfinite(gradient).all()
    assert hues_of(gray[..., :15]) == []
