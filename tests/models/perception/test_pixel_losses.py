"""Losses on pixels: the same numbers as in training."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.perception import pixel_losses
from brushwork.training import losses


@pytest.fixture(scope="module")
def pictures():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(2, 3, 300, 270, generator=generator, dtype=torch.float64) for _ in range(3)]


def value(loss):
    """Training's losses are pairs of the loss and its parts, or the loss alone."""
    return float(loss[0] if isinstance(loss, tuple) else loss)


def test_they_are_those_of_training(pictures):
    image, photo, painting = pictures
    calm = 0.5 + 0.1 * (photo - 0.5)
    assert value(pixel_losses.ground_loss(image, calm, painting)) == pytest.approx(
        value(losses.ground_loss(image, calm, painting)), rel=1e-9
    )
    assert value(losses.ground_loss(image, calm, painting)) > 0
    wide = 1.5 * image - 0.2
    assert value(pixel_losses.tv_loss(wide)) == pytest.approx(value(losses.tv_loss(wide)))
    assert value(pixel_losses.range_loss(wide)) == pytest.approx(value(losses.range_loss(wide)))


def test_quantile_is_pytorchs():
    values = torch.rand(3, 1001, dtype=torch.float64)
    assert torch.allclose(pixel_losses._quantile(values, 1 / 3), values.quantile(1 / 3, dim=1))


def test_pictures_without_two_cells_cost_nothing(pictures):
    image, photo, painting = pictures
    assert pixel_losses.ground_loss(image[..., :3], photo[..., :3], painting) == 0
