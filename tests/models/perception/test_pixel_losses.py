"""Losses on pixels: quantiles of large pictures, and pictures that are too small."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.perception import pixel_losses


@pytest.fixture(scope="module")
def pictures():
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(2, 3, 300, 270, generator=generator, dtype=torch.float64) for _ in range(3)]


def test_quantile_is_pytorchs():
    values = torch.rand(3, 1001, dtype=torch.float64)
    assert torch.allclose(pixel_losses._quantile(values, 1 / 3), values.quantile(1 / 3, dim=1))


def test_pictures_without_two_cells_cost_nothing(pictures):
    image, photo, painting = pictures
    assert pixel_losses.ground_loss(image[..., :3], photo[..., :3], painting) == 0
