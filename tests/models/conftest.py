"""Small networks of the shipped architecture, for tests that are about arithmetic and not about looks."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.coded_colors import CodedColors
from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.models.style_space import StyleSpace

TINY = StyleGANConfig(
    fine_channels=8,
    coarse_channels=12,
    code_dim=24,
    coarse_blocks=2,
    fine_blocks=1,
    mapping_hidden=16,
    wide_channels=10,
    wide_blocks=1,
    kernels=3,
    wide_kernels=2,
    covariance_channels=4,
    covariance_hidden=20,
)


def make_tiny() -> StyleGAN:
    """All weights away from their start, so that no part is silent because it begins at zero."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        gan = StyleGAN(TINY)
        with torch.no_grad():
            for parameter in gan.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.05)
        codes = torch.randn(9, TINY.layers, TINY.code_dim) + torch.randn(TINY.layers, TINY.code_dim)
    gan.space = StyleSpace.fit(codes, rank=5)
    colors = CodedColors(TINY.code_dim)
    colors.weight.copy_(0.05 * torch.randn(colors.weight.shape, generator=torch.Generator().manual_seed(4)))
    gan.set_colors(colors)
    return gan


@pytest.fixture
def tiny() -> StyleGAN:
    """A network of its own for each test, trainable."""
    return make_tiny()


@pytest.fixture(scope="session")
def frozen_tiny() -> StyleGAN:
    """The same network, shared and not to be changed."""
    return make_tiny().eval().requires_grad_(False)
