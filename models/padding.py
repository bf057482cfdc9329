"""Reflected borders of one pixel, in the memory layout of the map that gets them."""

from __future__ import annotations

import functools
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

Sides = tuple[bool, bool, bool, bool]
"""Whether there is a border at the left, at the right, at the top and at the bottom."""


def pad_by_one(x: Tensor, left: bool, right: bool, top: bool, bottom: bool) -> Tensor:
    """x [B,C,H,W] with a reflected border of one pixel at those sides; H and W are 2 or more.

    PyTorch's own padding on CUDA takes and gives maps whose channels lie apart (NCHW), and convolutions are
    fast on channels_last: every convolution would cost two copies of its map, and as many for its gradient.
    """
    channels, width = x.shape[1], x.shape[3]
    # Whole rows of a channels_last map are in it, too.
    if x.device.type == "cuda" and x.stride()[1:] == (1, width * channels, channels):
        return cast(Tensor, _ChannelsLastPadding.apply(x, (left, right, top, bottom)))
    return F.pad(x, (int(left), int(right), int(top), int(bottom)), mode="reflect")


class _PaddingContext(FunctionCtx):
    sides: Sides
    size: tuple[int, int]


class _ChannelsLastPadding(torch.autograd.Function):
    """One copy of the map, and a small one of its border; the gradient of a border pixel is added to the one
    that it repeats."""

    @staticmethod
    def forward(ctx: _PaddingContext, x: Tensor, sides: Sides) -> Tensor:
        left, right, top, bottom = sides
        height, width = x.shape[2:]
        ctx.sides, ctx.size = sides, (height, width)
        padded = torch.empty(
            (*x.shape[:2], height + top + bottom, width + left + right),
            dtype=x.dtype,
            device=x.device,
            memory_format=torch.channels_last,
        )
        padded[:, :, top : top + height, left : left + width] = x
        border, repeated = _border(height, width, sides, x.device)
        _pixels(padded).index_copy_(1, border, _pixels(x).index_select(1, repeated))
        return padded

    @staticmethod
    def backward(ctx: _PaddingContext, gradient: Tensor) -> tuple[Tensor, None]:
        sides, (height, width) = ctx.sides, ctx.size
        left, _, top, _ = sides
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        inner = gradient[:, :, top : top + height, left : left + width]
        inner = inner.clone(memory_format=torch.channels_last)
        border, repeated = _border(height, width, sides, gradient.device)
        _pixels(inner).index_add_(1, repeated, _pixels(gradient).index_select(1, border))
        return inner, None


def _pixels(x: Tensor) -> Tensor:
    """Whole rows of a channels_last map, [B,C,H,W] -> their pixels [B,H*W,C], without a copy."""
    return x.permute(0, 2, 3, 1).view(len(x), -1, x.shape[1])


@functools.lru_cache(maxsize=256)
def _border(height: int, width: int, sides: Sides, device: torch.device) -> tuple[Tensor, Tensor]:
    """The places of the border's pixels in the padded map, and those of the pixels that they repeat."""
    left, right, top, bottom = sides
    rows = _reflected(height, top, bottom)[:, None]
    columns = _reflected(width, left, right)[None]
    places = rows * width + columns
    inside = torch.zeros_like(places, dtype=torch.bool)
    inside[top : top + height, left : left + width] = True
    border = (~inside).flatten().nonzero().flatten()
    return border.to(device), places.flatten()[border].to(device)


def _reflected(length: int, before: bool, after: bool) -> Tensor:
    """0 to length-1, with the second of them before the first, and the last but one after the last."""
    places = torch.arange(length)
    return torch.cat([places[1:2][: int(before)], places, places[-2:-1][: int(after)]])
