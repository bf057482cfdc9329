"""Convolution, padding and initialisation against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from brushwork.models.layers import Conv3x3, init_conv, pad_to_stride, reflection_index


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
