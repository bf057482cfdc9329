"""Small tensors to work losses out with, and comparing numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from brushwork.models.perception.vgg import STYLE_LAYERS


def close(value: Tensor | float, expected: float, tolerance: float = 1e-6) -> bool:
    """Whether the two are the same up to `tolerance`, relative or absolute."""
    return float(value) == pytest.approx(expected, rel=tolerance, abs=tolerance)


def doubles(*shape: int, seed: int = 0) -> Tensor:
    """Normal random numbers, float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def double_pair(*shape: int, seed: int) -> tuple[Tensor, Tensor]:
    """Two unlike tensors of a shape, such as the features of a picture and those of a painting."""
    return doubles(*shape, seed=seed), doubles(*shape, seed=seed + 100) * 2 + 1


def layers(*tensors: Tensor) -> dict[str, Tensor]:
    """One tensor for each of the four style layers."""
    return dict(zip(STYLE_LAYERS, tensors, strict=True))
