"""The gradient of refining: that of the textbook's losses, whatever the tiles."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from gram_errors import gram_errors
from plain_grounds import ground_loss

from brushwork.models.perception.feature_losses import relative_error
from brushwork.models.perception.pixel_losses import (
    ground_limits,
    plain_steps,
    range_loss,
    tv_loss,
)
from brushwork.models.perception.statistics import (
    STYLE_LAYERS,
    color_moments,
    normalized,
    sized_pictures,
    style_statistics,
)
from brushwork.painting.guidance import painting_plainness, split
from brushwork.painting.objective import Mixture, Objective
from brushwork.painting.options import RefineOptions
from brushwork.painting.pixel_gradient import pixel_losses, row_ranges
from brushwork.pictures.color import luma

OPTIONS = RefineOptions(
    content_weight=0.7,
    style_weight=8,
    keep_calm=0.5,
    keep_light=6,
    smoothness=0.3,
    color_weight=3,
)
PARTS = replace(OPTIONS, match="parts")


def halved(picture):
    """Weights 1, 3, 3, 1 along both axes, every second pixel."""
    weights = torch.tensor([1, 3, 3, 1], dtype=picture.dtype) / 8
    kernel = (weights[:, None] * weights).expand(3, 1, 4, 4)
    return F.conv2d(F.pad(picture, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, groups=3)


def styles(network, picture):
    sizes = [picture, halved(picture), halved(halved(picture))]
    return [style_statistics(network(each)) for each in sizes]


def light(photo, picture):
    """Half the squared difference of the brightness of cells, in units of its deviation."""
    losses = []
    for cell in (8, 16):
        found, wanted = (F.avg_pool2d(luma(each), cell).flatten() for each in (picture, photo))
        variance = wanted.var(correction=0)
        error = (standard(found) - standard(wanted)).square().mean() / 2
        losses.append(error * variance / (variance + 0.03**2))
    return torch.stack(losses).mean()


def standard(values):
    return (values - values.mean()) / (values.var(correction=0) + 1e-4).sqrt()


def textbook(network, photo, painting, picture):
    """The total loss by autograd through the whole picture, and its gradient."""
    picture = picture.clone().requires_grad_()
    found, wanted = (styles(network, each) for each in (picture, painting))
    grams = gram_errors(found, wanted)
    moments = [
        torch.stack([relative_error(m[name], t[name]) for name in STYLE_LAYERS]).mean()
        for (_, m), (_, t) in zip(found, wanted, strict=True)
    ]
    shares = torch.tensor([0.5, 0.25, 0.25])[: len(moments)]
    style = torch.stack([*grams.values()]) + 2 * torch.stack(moments)
    style = (style * (shares / shares.sum()).to(style)).sum()
    content = (
        (normalized(network(picture)["relu4_1"]) - normalized(network(photo)["relu4_1"])).square().mean()
    )
    (mean, spread), (mean_s, spread_s) = color_moments(picture), color_moments(painting)
    color = relative_error(mean, mean_s) + (spread - spread_s).square().sum() / (
        spread_s.square().sum() + 1e-5
    )
    ground = ground_loss(picture, photo, painting)
    total = 1.4 * 0.7 * content + 8 * style + 3 * color + 20 * ground
    total = total + 0.3 * tv_loss(picture) + 5 * range_loss(picture) + 6 * light(photo, picture)
    return total.detach(), torch.autograd.grad(total, picture)[0]


def of_objective(network, photo, mixtures, shares, picture, side, options=OPTIONS):
    objective = Objective(network, photo, mixtures, shares, options, side)
    losses, gradient = objective.gradient(picture)
    return losses["total"], gradient


def distance(found, wanted):
    return float((found - wanted).norm() / wanted.norm())


@pytest.fixture(scope="module")
def scene_of(texture):
    """(photo, painting, picture between them and a little out of range) of a size."""

    def draw(height, width, batch=1):
        photo, painting = texture(batch, 3, height, width), texture(1, 3, 72, 80, seed=1)
        return photo, painting, 1.2 * (0.7 * photo + 0.3 * texture(batch, 3, height, width, seed=2)) - 0.1

    return draw


@pytest.fixture(scope="module")
def textbook_of(exact_slim_network, scene_of):
    """The scene of a size and its `textbook`, computed once for all tiles."""

    @functools.cache
    def found(height, width):
        scene = scene_of(height, width)
        return scene, textbook(exact_slim_network, *scene)

    return found


@pytest.mark.parametrize("side", [4096, 64])
@pytest.mark.parametrize(("height", "width"), [(69, 75), (64, 64)])
def test_gradient_is_the_textbooks(exact_slim_network, textbook_of, height, width, side):
    (photo, painting, picture), wanted = textbook_of(height, width)
    found = of_objective(exact_slim_network, photo, [Mixture([painting], [1.0])], None, picture, side)
    assert float(found[0]) == pytest.approx(float(wanted[0]), rel=1e-9)
    assert distance(found[1], wanted[1]) < 1e-8


def test_tiles_do_not_change_a_gradient_with_regions(exact_slim_network, scene_of, texture):
    """Odd sizes, a batch, soft masks that cross tiles, several paintings, plain parts and others."""
    photo, painting, picture = scene_of(69, 75, batch=2)
    soft = torch.linspace(0, 1, 75, dtype=torch.float64).expand(2, 1, 69, 75) ** 2
    hard = torch.zeros(2, 1, 69, 75, dtype=torch.float64)
    hard[1, :, 30:67, 30:70] = 1
    shares = torch.cat([(1 - soft) * (1 - hard), soft * (1 - hard), hard], 1)
    other = texture(2, 3, 32, 48, seed=5)
    mixtures = [
        Mixture([painting, other], [0.25, 0.75]),
        Mixture([1 - other[:1]], [1.0]),
        Mixture([other.flip(1)], [1.0]),
    ]
    whole = of_objective(exact_slim_network, photo, mixtures, shares, picture, 4096, PARTS)
    tiled = of_objective(exact_slim_network, photo, mixtures, shares, picture, 64, PARTS)
    assert float(tiled[0]) == pytest.approx(float(whole[0]), rel=1e-10)
    assert distance(tiled[1], whole[1]) < 1e-9


def test_tiles_agree_to_the_rounding_of_float32(network, scene_of):
    photo, painting, picture = (each.float() for each in scene_of(75, 101))
    mixtures = [Mixture([painting], [1.0])]
    whole = of_objective(network, photo, mixtures, None, picture, 4096)
    tiled = of_objective(network, photo, mixtures, None, picture, 64)
    assert float(tiled[0]) == pytest.approx(float(whole[0]), rel=1e-5)
    assert distance(tiled[1], whole[1]) < 1e-4


def test_a_region_counts_as_if_it_were_a_picture(exact_slim_network, texture):
    """Two halves, each with its own painting, ask for nothing where each has its own already."""
    left, right = texture(1, 3, 64, 64, seed=3), 0.4 * texture(1, 3, 64, 64, seed=4)
    picture = torch.cat([left, right], 3)
    shares = torch.zeros(1, 2, 64, 128, dtype=torch.float64)
    shares[:, 0, :, :64], shares[:, 1, :, 64:] = 1, 1
    objective = Objective(
        exact_slim_network, picture, [Mixture([left], [1.0]), Mixture([right], [1.0])], shares, OPTIONS, 4096
    )
    same, _ = objective.gradient(picture)
    swapped, _ = objective.gradient(picture.flip(3))
    # Only the features near the seam and at the frame differ from those of the halves.
    assert float(same["gram_whole"]) < 0.1 * float(swapped["gram_whole"])
    assert float(same["colour"]) < 1e-12
    assert float(swapped["colour"]) > 0.1


def test_plain_parts_are_compared_with_plain_parts(exact_slim_network, texture):
    """Statistics of a plain and of a busy part, as by hand; with both in their places there is no loss."""
    busy, plain = texture(1, 3, 64, 64, seed=3), 0.5 + 0.02 * texture(1, 3, 64, 64, seed=4)
    painting = torch.cat([plain, busy], 3)
    objective = Objective(exact_slim_network, painting, [Mixture([painting], [1.0])], None, PARTS, 4096)
    share = split(None, painting_plainness(painting))[:, :, None]
    features = exact_slim_network(painting)["relu1_1"]
    grams = torch.einsum("bcyx,bdyx,bkyx->bkcd", features, features, share[:, :, 0])
    grams = grams / share.sum((3, 4))[..., None]
    assert distance(objective.targets[0]["relu1_1.gram"], grams) < 1e-9
    same, _ = objective.gradient(painting)
    swapped, _ = objective.gradient(painting.flip(3))
    assert float(same["gram_whole"]) < 0.02 * float(swapped["gram_whole"])
    # To the whole painting's statistics, the places do not matter.
    objective = Objective(exact_slim_network, painting, [Mixture([painting], [1.0])], None, OPTIONS, 4096)
    whole, _ = objective.gradient(painting.flip(3))
    assert float(whole["gram_whole"]) < 0.02 * float(swapped["gram_whole"])


def test_pictures_of_a_batch_are_refined_as_if_alone(exact_slim_network, scene_of):
    photo, painting, picture = scene_of(40, 56, batch=2)
    mixtures = [Mixture([painting], [1.0])]
    _, both = of_objective(exact_slim_network, photo, mixtures, None, picture, 4096)
    for i in range(2):
        one = photo[i : i + 1], mixtures, None, picture[i : i + 1]
        _, alone = of_objective(exact_slim_network, *one, 4096)
        assert distance(both[i : i + 1], alone) < 1e-9


@pytest.mark.parametrize(("height", "width"), [(389, 301), (700, 20), (130, 640), (16, 16)])
def test_strips_of_pixels_change_nothing(texture, height, width):
    picture, photo = 1.3 * texture(1, 3, height, width, seed=2) - 0.1, texture(1, 3, height, width)
    photo = F.avg_pool2d(photo, 9, 1, 4)
    painting = texture(1, 3, 300, 300, seed=1)
    limits = ground_limits(photo, plain_steps(painting))
    weights = {"tv": 0.5, "range": 3.0, "ground": 7.0, "grain": 2.0}
    gradient = torch.zeros_like(picture)
    found = pixel_losses(picture, gradient, limits, weights, pixels=64 * width)
    leaf = picture.clone().requires_grad_()
    wanted = {"tv": tv_loss(leaf), "range": range_loss(leaf), "ground": ground_loss(leaf, photo, painting)}
    wanted["grain"] = leaf.diff(dim=2).square().mean() + leaf.diff(dim=3).square().mean()
    total = sum(weights[name] * loss for name, loss in wanted.items())
    for name, loss in wanted.items():
        assert float(found[name]) == pytest.approx(loss.item(), rel=1e-9)
    assert distance(gradient, torch.autograd.grad(total, leaf)[0]) < 1e-9
    if height > 320:
        assert len(row_ranges(height, width, 64 * width)) > 1
    assert wanted["ground"].item() > 0, "or the ground loss is not tested"


def test_a_loss_without_weight_costs_nothing(texture):
    picture = texture(1, 3, 32, 32)
    gradient = torch.zeros_like(picture)
    assert pixel_losses(picture, gradient, [], {"tv": 0.0}) == {}
    assert not gradient.any()


def test_sizes_that_the_network_cannot_see_are_left_out(exact_slim_network, texture):
    assert [tuple(each.shape[-2:]) for each in sized_pictures(texture(1, 3, 45, 300))] == [
        (45, 300),
        (22, 150),
        (11, 75),
    ]
    assert len(sized_pictures(texture(1, 3, 20, 300))) == 2
    objective = Objective(
        exact_slim_network, texture(1, 3, 20, 300), [Mixture([texture(1, 3, 9, 9)], [1.0])], None, OPTIONS, 64
    )
    losses, gradient = objective.gradient(texture(1, 3, 20, 300, seed=7))
    assert "gram_quarter" not in losses
    assert torch.isfinite(gradient).all()
