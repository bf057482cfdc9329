"""Loss networks and pictures for the tests of refining."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from slim_loss_network import slim_loss_networks
from torch import Tensor

from brushwork.models.perception.vgg import LossNetwork


@pytest.fixture(scope="session")
def network() -> LossNetwork:
    """In float32. Shared: tests must not change it."""
    return LossNetwork()


@pytest.fixture(scope="session")
def slim_network() -> LossNetwork:
    """With few channels, for what does not depend on what it sees. Shared: tests must not change it."""
    with slim_loss_networks():
        return LossNetwork()


@pytest.fixture(scope="session")
def exact_network() -> LossNetwork:
    """In float64, in which sums in another order agree to many digits."""
    return LossNetwork(dtype=torch.float64)


@pytest.fixture(scope="session")
def exact_slim_network() -> LossNetwork:
    """Both."""
    with slim_loss_networks():
        return LossNetwork(dtype=torch.float64)


@pytest.fixture(scope="session")
def texture() -> Callable[..., Tensor]:
    """texture(B, 3, H, W, seed=0) -> pixels in 0..1 with coarse blotches and fine grain, float64."""

    def draw(*shape: int, seed: int = 0) -> Tensor:
        fine = torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        blotches = F.avg_pool2d(fine, 5, 1, 2)
        return (0.3 * fine + 2.5 * (blotches - 0.5) + 0.35).clamp(0, 1)

    return draw


@pytest.fixture(scope="session")
def photo_of(texture: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """photo_of(height=32, width=40, batch=1, seed=0) -> the pixels of `texture` in float32."""

    def draw(height: int = 32, width: int = 40, batch: int = 1, seed: int = 0) -> Tensor:
        return texture(batch, 3, height, width, seed=seed).float()

    return draw
