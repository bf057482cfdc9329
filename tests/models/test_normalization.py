"""Normalization against its formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from brushwork.models.layer_statistics import own_statistics
from brushwork.models.normalization import (
    NORM_EPS,
    adain,
    adain_affine,
    channel_mean_std,
    instance_norm,
)


@pytest.fixture
def features():
    torch.manual_seed(0)
    return torch.randn(2, 5, 6, 7, dtype=torch.float64) * 3 + torch.arange(5.0)[:, None, None]


def test_mean_and_deviation_follow_the_formula(features):
    mean, std = channel_mean_std(features)
    values = features.numpy()
    expected = np.sqrt(values.var(axis=(2, 3)) + NORM_EPS)
    np.testing.assert_allclose(mean[:, :, 0, 0], values.mean(axis=(2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std[:, :, 0, 0], expected, rtol=1e-12)


def test_deviation_has_a_finite_gradient_on_a_dead_channel():
    dead = torch.zeros(1, 1, 4, 4, requires_grad=True)
    channel_mean_std(dead)[1].sum().backward()
    assert torch.isfinite(dead.grad).all()


def test_adain_follows_the_formula(features):
    scale, shift = torch.randn(2, 5, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)
    painted = adain(features, scale, shift)
    for b in range(2):
        for c in range(5):
            x = features[b, c].numpy()
            expected = (
                scale[b, c].item() * (x - x.mean()) / math.sqrt(x.var() + NORM_EPS) + shift[b, c].item()
            )
            np.testing.assert_allclose(painted[b, c], expected, rtol=1e-10, atol=1e-12)


def test_adain_sets_mean_and_deviation(features):
    scale, shift = torch.rand(2, 5, dtype=torch.float64) + 0.5, torch.randn(2, 5, dtype=torch.float64)
    mean, std = channel_mean_std(adain(features, scale, shift))
    torch.testing.assert_close(mean[:, :, 0, 0], shift)
    torch.testing.assert_close(std[:, :, 0, 0], scale, rtol=1e-4, atol=0)


def test_instance_norm_removes_every_affine_change_of_a_channel(features):
    gain = torch.rand(2, 5, 1, 1, dtype=torch.float64) + 2
    offset = torch.randn(2, 5, 1, 1, dtype=torch.float64) * 10
    torch.testing.assert_close(
        instance_norm(features * gain + offset), instance_norm(features), atol=1e-4, rtol=0
    )


def test_instance_norm_is_adain_with_1_and_0(features):
    ones = torch.ones(2, 5, dtype=torch.float64)
    torch.testing.assert_close(instance_norm(features), adain(features, ones, ones * 0))


def test_the_closed_form_gradient_is_the_true_one(features):
    small = features[:, :2, :3, :3].clone().requires_grad_()
    scale, shift = torch.randn(2, 2, 2, dtype=torch.float64, requires_grad=True).unbind()
    assert torch.autograd.gradcheck(instance_norm, (small,))
    assert torch.autograd.gradcheck(adain, (small, scale, shift))


def test_adain_is_the_same_with_and_without_a_gradient(features):
    scale, shift = torch.randn(2, 5, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)
    tracked = adain(features.clone().requires_grad_(), scale, shift)
    torch.testing.assert_close(tracked.detach(), adain(features, scale, shift))
    offset, gain = adain_affine(scale, shift, own_statistics("any", features))
    torch.testing.assert_close(offset + gain * features, tracked.detach())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_its_type_and_the_statistics_do_not(features, dtype):
    half = features.to(dtype)
    mean, std = channel_mean_std(half)
    assert mean.dtype == std.dtype == torch.float32
    torch.testing.assert_close(mean, half.float().mean((2, 3), keepdim=True))
    assert instance_norm(half).dtype == dtype
    torch.testing.assert_close(instance_norm(half).double(), instance_norm(features), atol=0.05, rtol=0)
