"""A network of the shipped architecture that is built, run and trained in no time."""

from __future__ import annotations

from brushwork.models.style_gan import StyleGANConfig

TINY = StyleGANConfig(
    fine_channels=16,
    coarse_channels=16,
    code_dim=32,
    coarse_blocks=1,
    fine_blocks=1,
    mapping_hidden=16,
    wide_channels=16,
    wide_blocks=1,
    kernels=2,
    wide_kernels=2,
    covariance_channels=4,
    covariance_hidden=16,
)
