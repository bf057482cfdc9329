"""The discriminator: scales, spectral norm, gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from brushwork.models import Discriminator


@pytest.fixture
def discriminator():
    torch.manual_seed(0)
    return Discriminator(channels=8)


def test_patch_logits_at_three_scales(discriminator):
    logits = discriminator(torch.rand(2, 3, 128, 96))
    assert [tuple(x.shape) for x in logits] == [(2, 1, 16, 12), (2, 1, 8, 6), (2, 1, 4, 3)]


def test_each_scale_sees_the_halved_picture(discriminator):
    discriminator.eval()
    image = torch.rand(1, 3, 64, 64)
    logits = discriminator(image)
    for scale, (patch, found) in enumerate(zip(discriminator.scales, logits, strict=True)):
        reduced = image if scale == 0 else F.avg_pool2d(image, 2**scale)
        torch.testing.assert_close(found, patch(reduced * 2 - 1), atol=1e-5, rtol=1e-4)


def test_each_logit_sees_38_pixels(discriminator):
    image = torch.rand(1, 3, 128, 128, requires_grad=True)
    discriminator.scales[0](image)[0, 0, 8, 8].backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    columns = image.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 38
    assert columns[-1] - columns[0] + 1 == 38


def test_spectral_norm_bounds_every_layer_but_the_last(discriminator):
    with torch.no_grad():
        for convolution in discriminator.modules():
            if hasattr(convolution, "parametrizations"):
                convolution.parametrizations.weight.original.mul_(7)
    # Each forward pass in training is one step of the power iteration.
    for _ in range(50):
        discriminator(torch.rand(1, 3, 32, 32))
    discriminator.eval()
    for patch in discriminator.scales:
        *layers, last = [m for m in patch if isinstance(m, nn.Conv2d)]
        assert len(layers) == 3
        assert not hasattr(last, "parametrizations")
    layers = [m for p in discriminator.scales for m in p if hasattr(m, "parametrizations")]
    assert len(layers) == 9
    for layer in layers:
        largest = torch.linalg.svdvals(layer.weight.flatten(1))[0].item()
        assert largest == pytest.approx(1, abs=0.05)


def test_gradients_reach_every_parameter_and_the_picture(discriminator):
    image = torch.rand(2, 3, 64, 64, requires_grad=True)
    sum(x.mean() for x in discriminator(image)).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in discriminator.parameters())
    assert image.grad.abs().max() > 0
