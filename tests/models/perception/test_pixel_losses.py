"""Losses on pixels: quantiles of large pictures, and pictures that are too small."""

from __future__ import annotations

import torch

from brushwork.models.perception import pixel_losses


def test_quantile_is_pytorchs():
    values = torch.rand(3, 1001, dtype=torch.float64)
    assert torch.allclose(pixel_losses._quantile(values, 1 / 3), values.quantile(1 / 3, dim=1))


def test_pictures_without_two_cells_have_no_steps():
    assert pixel_losses.ground_steps(torch.rand(2, 3, 300, 3)) == []
    assert len(pixel_losses.ground_steps(torch.rand(2, 3, 300, 4))) == 1
