"""Convolution and initialisation against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from brushwork.models.layers import Conv3x3, init_conv


def test_convolution_reflects_its_borders():
    torch.manual_seed(0)
    layer, x = Conv3x3(2, 3).double(), torch.randn(1, 2, 5, 4, dtype=torch.float64)
    framed = torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect"))
    torch.testing.assert_close(layer(x), F.conv2d(framed, layer.weight, layer.bias))


def test_convolution_keeps_a_flat_picture_flat_up_to_the_border():
    torch.manual_seed(0)
    flat = Conv3x3(3, 4)(torch.full((1, 3, 6, 6), 0.7))
    torch.testing.assert_close(flat, flat[:, :, :1, :1].expand_as(flat))


def test_weights_start_with_the_deviation_of_he_et_al():
    torch.manual_seed(0)
    layer = nn.Conv2d(64, 256, 3)
    init_conv(layer, gain=0.3)
    expected = 0.3 * math.sqrt(2 / (1 + 0.2**2) / (64 * 9))
    assert layer.weight.std().item() == pytest.approx(expected, rel=0.02)
    assert layer.bias.abs().max() == 0
