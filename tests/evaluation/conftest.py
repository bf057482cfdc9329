"""What the tests of the evaluation share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN
from brushwork.models.style_space import StyleSpace


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PyTorch's cache of weights, empty whatever this machine has in its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def small_gan() -> StyleGAN:
    """A small untrained network with a style space. Shared: tests must not change it."""
    torch.manual_seed(5)
    gan = StyleGAN(TINY).eval().requires_grad_(False)
    gan.space = StyleSpace.fit(torch.randn(40, gan.config.layers, gan.config.code_dim), rank=8)
    return gan
