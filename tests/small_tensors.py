"""Small tensors to work losses out with, and comparing numbers."""

from __future__ import annotations

import numpy as np
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


def numpy_gram(features: np.ndarray) -> np.ndarray:
    """Gram matrices [B,C,C] of [B,C,H,W], written from the formula."""
    b, c, h, w = features.shape
    products = [[[np.sum(f[i] * f[j]) / (h * w) for j in range(c)] for i in range(c)] for f in features]
    return np.array(products).reshape(b, c, c)


def numpy_moments(features: np.ndarray) -> np.ndarray:
    """Means and deviations [B,2,C] of [B,C,H,W], written from the formula."""
    return np.stack([np.mean(features, (2, 3)), np.sqrt(np.var(features, (2, 3)) + 1e-5)], 1)


def numpy_relative(found: np.ndarray, target: np.ndarray) -> float:
    """`relative_error`, written from the formula."""
    return float(np.mean([np.sum((a - b) ** 2) / np.sum(b**2) for a, b in zip(found, target, strict=True)]))
