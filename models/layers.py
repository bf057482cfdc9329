"""Layers that the encoders and the generator share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .padding import pad_by_one

LEAKY_SLOPE = 0.2


class Conv3x3(nn.Conv2d):
    """3x3 convolution with reflected borders, [B,C,H,W] -> [B,out,H/stride,W/stride], rounded up.

    Reflection and not zeros: with zeros a painted sky darkens and rings along the frame. H and W
    must be 2 or more, so the networks pad small pictures.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, gain: float = 1.0):
        super().__init__(in_channels, out_channels, kernel_size=3, stride=stride)
        init_conv(self, gain)

    def forward(self, x: Tensor, top: bool = True, bottom: bool = True) -> Tensor:
        """Without `top` or `bottom`, that border is not reflected and the output is a row shorter.

        This is for a strip from the middle of a picture, which brings its neighbours' rows along.
        """
        return convolved(self, pad_by_one(x, True, True, top, bottom))


class Conv1x1(nn.Conv2d):
    """1x1 convolution, [B,C,H,W] -> [B,out,H,W]."""

    def __init__(self, in_channels: int, out_channels: int, gain: float = 1.0):
        super().__init__(in_channels, out_channels, kernel_size=1)
        init_conv(self, gain)

    def forward(self, x: Tensor) -> Tensor:
        return convolved(self, x)


def convolved(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """`layer` of a map, in the map's type."""
    bias = None if layer.bias is None else layer.bias.to(x.dtype)
    return F.conv2d(x, layer.weight.to(x.dtype), bias, layer.stride)


def init_conv(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Kaiming normal (He et al. 2015) for a leaky ReLU of slope 0.2, times `gain`; bias 0."""
    nn.init.kaiming_normal_(layer.weight, a=LEAKY_SLOPE, nonlinearity="leaky_relu")
    if gain != 1.0:
        with torch.no_grad():
            layer.weight.mul_(gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def unshuffle(image: Tensor) -> Tensor:
    """The stem of both encoders: image [B,3,H,W] in 0..1 -> cells [B,48,H/4,W/4] in -1..1."""
    return F.pixel_unshuffle(image.contiguous(memory_format=torch.channels_last) * 2 - 1, 4)
