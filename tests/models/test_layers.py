"""Normalisation, padding and initialisation against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from brushwork.models.layers import (
    NORM_EPS,
    Conv3x3,
    adain,
    channel_mean_std,
    init_conv,
    instance_norm,
    leaky_relu_,
    pad_to_stride,
    reflection_index,
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


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_its_type_and_the_statistics_do_not(features, dtype):
    half = features.to(dtype)
    mean, std = channel_mean_std(half)
    assert mean.dtype == std.dtype == torch.float32
    torch.testing.assert_close(mean, half.float().mean((2, 3), keepdim=True))
    assert instance_norm(half).dtype == dtype
    torch.testing.assert_close(instance_norm(half).double(), instance_norm(features), atol=0.05, rtol=0)


def test_convolution_reflects_its_borders():
    torch.manual_seed(0)
    layer, x = Conv3x3(2, 3).double(), torch.randn(1, 2, 5, 4, dtype=torch.float64)
    framed = torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect"))
    torch.testing.assert_close(layer(x), F.conv2d(framed, layer.weight, layer.bias))


def test_convolution_keeps_a_flat_picture_flat_up_to_the_border():
    torch.manual_seed(0)
    flat = Conv3x3(3, 4)(torch.full((1, 3, 6, 6), 0.7))
    torch.testing.assert_close(flat, flat[:, :, :1, :1].expand_as(flat))


@pytest.mark.parametrize("length", [2, 3, 5, 16])
@pytest.mark.parametrize("after", [0, 1, 4, 40])
def test_reflection_index_walks_to_and_fro(length, after):
    there_and_back = [*range(length), *range(length - 2, 0, -1)]
    expected = [there_and_back[i % len(there_and_back)] for i in range(-3, length + after)]
    assert reflection_index(length, 3, after, torch.device("cpu")).tolist() == expected


def test_reflection_of_a_single_sample_repeats_it():
    assert reflection_index(1, 2, 3, torch.device("cpu")).tolist() == [0] * 6


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (3, 5), (7, 513), (16, 16), (17, 31)])
def test_padding_reflects_at_the_right_and_the_bottom(height, width, stride):
    image = torch.rand(2, 3, height, width)
    padded = pad_to_stride(image, stride)
    rows, columns = padded.shape[-2:]
    assert rows % stride == columns % stride == 0
    assert rows >= 16
    assert columns >= 16
    assert rows - height < max(stride, 16)
    assert columns - width < max(stride, 16)
    frame = ((0, 0), (0, 0), (0, rows - height), (0, columns - width))
    np.testing.assert_array_equal(padded.numpy(), np.pad(image.numpy(), frame, mode="reflect"))


def test_padding_leaves_a_fitting_picture_alone():
    image = torch.rand(1, 3, 16, 48)
    assert pad_to_stride(image, 8) is image


def test_weights_start_with_the_deviation_of_he_et_al():
    torch.manual_seed(0)
    layer = nn.Conv2d(64, 256, 3)
    init_conv(layer, gain=0.3)
    expected = 0.3 * math.sqrt(2 / (1 + 0.2**2) / (64 * 9))
    assert layer.weight.std().item() == pytest.approx(expected, rel=0.02)
    assert layer.bias.abs().max() == 0


def test_leaky_relu_is_in_place_only_without_autograd():
    x = torch.tensor([-1.0, 2.0])
    expected = torch.tensor([-0.2, 2.0])
    assert torch.allclose(leaky_relu_(x), expected)
    assert torch.equal(x, torch.tensor([-1.0, 2.0]))
    trained = x.clone().requires_grad_(True)
    leaky_relu_(trained).sum().backward()
    assert torch.allclose(trained.grad, torch.tensor([0.2, 1.0]))
    with torch.no_grad():
        assert torch.allclose(leaky_relu_(x), expected)
    assert torch.allclose(x, expected)
