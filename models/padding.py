"""Reflected borders: of pictures, up to multiples of a stride, and of one pixel around feature maps."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

Sides = tuple[bool, bool, bool, bool]
"""Whether there is a border at the left, at the right, at the top and at the bottom."""


def pad_to_stride(image: Tensor, stride: int, smallest: int = 16) -> Tensor:
    """Reflect [B,C,H,W] at the right and the bottom to multiples of `stride`, at least `smallest` pixels."""
    height, width = padded_size(image.shape[-2:], stride, smallest)
    return _reflect(image, 0, 0, height, width)


def pad_around(image: Tensor, corner: Tensor, most: int, stride: int, smallest: int = 16) -> Tensor:
    """Reflect [B,C,H,W] on all sides; picture b gets corner[b] pixels, 0 to `most`, above it and left of it.

    The result has room for `most` pixels whatever the corners are, in multiples of `stride` of at least
    `smallest` pixels, so that pictures of one size remain a batch.
    """
    height, width = padded_size(image.shape[-2:], stride, smallest, most)
    padded = [
        _reflect(picture, top, left, height, width)
        for picture, (top, left) in zip(torch.split(image, 1), corner.tolist(), strict=True)
    ]
    return padded[0] if len(padded) == 1 else torch.cat(padded)


def padded_size(size: Sequence[int], stride: int, smallest: int, border: int = 0) -> tuple[int, int]:
    """H and W with room for a `border`, in multiples of `stride` of at least `smallest` pixels.

    >>> padded_size((30, 41), stride=8, smallest=40)
    (40, 48)
    """
    height, width = (math.ceil(max(side + border, smallest) / stride) * stride for side in size)
    return height, width


def reflection_index(length: int, before: int, after: int, device: torch.device) -> Tensor:
    """Indices that extend `length` samples by reflection, as often as it takes.

    >>> reflection_index(3, 2, 4, torch.device("cpu")).tolist()
    [2, 1, 0, 1, 2, 1, 0, 1, 2]
    """
    if length == 1:
        return torch.zeros(before + 1 + after, dtype=torch.long, device=device)
    period = 2 * (length - 1)
    position = torch.arange(-before, length + after, device=device) % period
    return torch.where(position < length, position, period - position)


def pad_by_one(x: Tensor, left: bool, right: bool, top: bool, bottom: bool) -> Tensor:
    """x [B,C,H,W] with a reflected border of one pixel at those sides; H and W are 2 or more.

    PyTorch's own padding on CUDA takes and gives maps whose channels lie apart (NCHW), and convolutions are
    fast on channels_last: every convolution would cost two copies of its map, and as many for its gradient.
    """
    channels, width = x.shape[1], x.shape[3]
    # Code that PyTorch's compiler writes has neither copy, and the compiler refuses the function below.
    if torch.compiler.is_compiling():
        return F.pad(x, (int(left), int(right), int(top), int(bottom)), mode="reflect")
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
    cpu = torch.device("cpu")
    rows = reflection_index(height, top, bottom, cpu)[:, None]
    columns = reflection_index(width, left, right, cpu)[None]
    places = rows * width + columns
    inside = torch.zeros_like(places, dtype=torch.bool)
    inside[top : top + height, left : left + width] = True
    border = (~inside).flatten().nonzero().flatten()
    return border.to(device), places.flatten()[border].to(device)


def _reflect(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """[B,C,H,W] -> [B,C,height,width], the picture `top` and `left` pixels from the corner.

    This works from 1x1 up; `F.pad` refuses a border larger than the picture.
    """
    bottom, right = height - image.shape[-2] - top, width - image.shape[-1] - left
    if not any((top, left, bottom, right)):
        return image
    if max(top, bottom) < image.shape[-2] and max(left, right) < image.shape[-1]:
        return F.pad(image, (left, right, top, bottom), mode="reflect")
    rows = reflection_index(image.shape[-2], top, bottom, image.device)
    columns = reflection_index(image.shape[-1], left, right, image.device)
    return image[:, :, rows][:, :, :, columns]
