"""Instance normalisation: mean and deviation of every channel, and what replaces them."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from .strips import strips

NORM_EPS = 1e-5

Statistics = tuple[Tensor, Tensor]
"""Mean and variance of every channel."""


def channel_mean_std(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every channel over space: [B,C,H,W] -> two [B,C,1,1].

    sqrt(var + eps), because the square root has an infinite gradient on a dead channel.
    E[x^2] - E[x]^2 in float32: the features are of order 1, and two plain means are much faster on
    channels_last CPU tensors than `torch.var_mean` (docs/history.md).
    """
    x = wide(x)
    mean = x.mean((2, 3), keepdim=True)
    return mean, _deviation(mean, (x * x).mean((2, 3), keepdim=True))


def channel_mean_std_in_strips(x: Tensor) -> tuple[Tensor, Tensor]:
    """`channel_mean_std`, several times faster on a CPU, without gradients."""
    mean, variance = channel_mean_variance(x)
    return mean, (variance + NORM_EPS).sqrt()


def channel_mean_variance(x: Tensor) -> Statistics:
    """Mean and variance of every channel over space, without gradients: [B,C,H,W] -> two [B,C,1,1]."""
    if x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last):
        x = wide(x)
        # The kernel of batch normalisation reads channels_last maps at the memory's speed; of each picture
        # by itself it is what instance normalisation wants.
        found = [torch.batch_norm_update_stats(picture, None, None, 0.0) for picture in x.split(1)]
        mean, variance = (torch.stack(values)[:, :, None, None] for values in zip(*found, strict=True))
        return mean, variance
    # No second map in float32, where x has 16 bits: it would take more memory than all else.
    mean = x.mean((2, 3), keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
    total = torch.zeros_like(mean)
    for strip in strips(x.shape, x.device):
        total += wide(strip.rows(x)).square().sum((2, 3), keepdim=True)
    return mean, _variance(mean, total / (x.shape[2] * x.shape[3]))


def wide(x: Tensor) -> Tensor:
    """In float32 at least: sums over thousands of pixels overflow or drown in 16 bits."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _deviation(mean: Tensor, mean_square: Tensor) -> Tensor:
    return (_variance(mean, mean_square) + NORM_EPS).sqrt()


def _variance(mean: Tensor, mean_square: Tensor) -> Tensor:
    return (mean_square - mean * mean).clamp_min(0)


class _Standardize(torch.autograd.Function):
    """(x - mean) / std with the closed-form gradient: (g - E[g] - y E[g y]) / std.

    Autograd's own derivative takes more passes over the feature maps, and on a CPU training waits for those
    (docs/history.md).
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        mean, std = channel_mean_std_in_strips(x)
        normalized = torch.addcmul(-mean / std, x, 1 / std).to(x.dtype)
        ctx.save_for_backward(normalized, std)
        return normalized

    @staticmethod
    def backward(ctx: torch.autograd.function.BackwardCFunction, gradient: Tensor) -> Tensor:
        normalized, std = cast(tuple[Tensor, Tensor], ctx.saved_tensors)
        offset = gradient.mean((2, 3), keepdim=True, dtype=std.dtype)
        slope = (gradient * normalized).mean((2, 3), keepdim=True, dtype=std.dtype)
        return torch.addcmul(gradient - offset, normalized, -slope).div_(std).to(gradient.dtype)


def instance_norm(x: Tensor) -> Tensor:
    """Every channel of [B,C,H,W] with mean 0 and deviation 1 over space (Ulyanov et al. 2016)."""
    return cast(Tensor, _Standardize.apply(x))


def adain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Adaptive instance normalisation (Huang & Belongie 2017), equation 8.

    x [B,C,H,W]; scale and shift [B,C]. Returns scale * (x - mean(x)) / std(x) + shift.
    """
    return torch.addcmul(shift[:, :, None, None], instance_norm(x), scale[:, :, None, None])


def adain_affine(scale: Tensor, shift: Tensor, statistics: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """offset and gain, [B,C,1,1] each, such that adain(x) = offset + gain * x, row by row, for an x with
    these `statistics`, mean and deviation."""
    mean, std = statistics
    gain = scale[:, :, None, None] / std
    return shift[:, :, None, None] - mean * gain, gain
