"""Light, dark and colours stay where they belong: the losses and their gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.cell_losses import (
    cell_colors,
    light_loss,
    patch_loss,
    photo_light,
    smooth_color_loss,
)
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


def patches_of(picture, colors, weight=1.0):
    gradient = torch.zeros_like(picture)
    return patch_loss(picture, gradient, colors, weight), gradient


@pytest.mark.parametrize(
    ("size", "larger", "share"),
    [((64, 100), 1, 6400 / 65536), ((256, 256), 1, 1), ((384, 400), 2, 1), ((200, 2000), 2, 1)],
)
def test_patches_are_those_of_cells(texture, size, larger, share):
    first, picture = texture(2, 3, *size), texture(2, 3, *size, seed=1)
    wanted = torch.zeros(2, dtype=first.dtype)
    for cell in (8 * larger, 16 * larger):
        cells = [F.avg_pool2d(each, cell) for each in (picture, first)]
        wanted += (cells[0] - cells[1]).square().mean((1, 2, 3)) / 2
    spread = (first - first.mean((2, 3), keepdim=True)).square().mean((1, 2, 3))
    found = patches_of(picture, cell_colors(first))[0]
    assert found.tolist() == pytest.approx((share * wanted / (spread + 1e-3)).tolist())


@pytest.mark.parametrize("size", [(75, 101), (390, 401)])
def test_gradient_of_patches_is_that_of_their_loss(texture, size):
    first, picture = texture(2, 3, *size), texture(2, 3, *size, seed=1)
    colors = cell_colors(first)
    _, gradient = patches_of(picture, colors, weight=3.0)
    step = torch.randn_like(picture) * 1e-5
    ahead, behind = (patches_of(picture + sign * step, colors)[0].sum() for sign in (1, -1))
    assert float((gradient * step).sum()) == pytest.approx(3 * float(ahead - behind) / 2, rel=1e-5)


def test_what_is_finer_than_cells_is_no_patch(texture):
    """Strokes are free: only what a cell is on average counts."""
    first = texture(1, 3, 256, 256)
    stripes = torch.tensor([0.2, -0.2], dtype=first.dtype).repeat(128)
    assert float(patches_of(first + stripes, cell_colors(first))[0]) < 1e-12
    stain = F.pad(torch.full((1, 3, 64, 64), -0.2, dtype=first.dtype), (96, 96, 96, 96))
    assert float(patches_of(first + stain, cell_colors(first))[0]) > 0.01
    assert float(patches_of(first.flip(1), cell_colors(first))[0]) > 0.01


def test_gray_pictures_have_patches_too(texture):
    gray = torch.full((1, 3, 32, 32), 0.5)
    loss, gradient = patches_of(texture(1, 3, 32, 32).float(), cell_colors(gray))
    assert torch.isfinite(loss).all()
    assert torch.isfinite(gradient).all()
    assert cell_colors(gray[..., :15]) == []


@pytest.mark.parametrize("size", [(256, 256), (512, 300), (40, 9), (1, 3)], ids=str)
def test_gradient_of_smooth_colors_is_that_of_their_loss(texture, size):
    picture, wanted = texture(2, 3, *size), texture(2, 3, *size, seed=1)
    gradient = torch.zeros_like(picture)
    smooth_color_loss(picture, gradient, wanted, 3.0)
    step = torch.randn_like(picture) * 1e-5
    ahead, behind = (
        smooth_color_loss(picture + sign * step, torch.zeros_like(picture), wanted, 3.0).sum()
        for sign in (1, -1)
    )
    assert float((gradient * step).sum()) == pytest.approx(3 * float(ahead - behind) / 2, rel=1e-5)


def test_smooth_colors_leave_strokes_free_and_give_no_stairs(texture):
    """What is finer than a window costs little, and along an edge the gradient changes slowly."""
    wanted = torch.full((1, 3, 512, 512), 0.5, dtype=torch.float64)
    wanted[..., :256] = 0.4
    fine = wanted.clone()
    fine[..., ::2, :] += 0.05
    fine[..., 1::2, :] -= 0.05
    coarse = wanted + 0.05
    losses = [float(smooth_color_loss(each, torch.zeros_like(each), wanted, 1.0)) for each in (fine, coarse)]
    assert losses[0] < 0.1 * losses[1]
    spot, gradient = wanted.clone(), torch.zeros_like(wanted)
    spot[..., 255:, 255:] += 0.1
    smooth_color_loss(spot, gradient, wanted, 1.0)
    assert float(gradient.diff(dim=2).abs().max()) < 0.3 * float(gradient.abs().max())
