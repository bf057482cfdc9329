"""Convolutions whose kernels depend on the style."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .devices import without_autocast
from .layers import init_conv
from .padding import pad_by_one
from .shares import Shares
from .strips import Strip

# How much the kernels of a new layer differ from the first one, in its deviations.
_SPREAD = 0.3


@dataclass(frozen=True)
class Kernels:
    """The kernels of S styles for one layer: weight [S,out,in,3,3], bias [S,out].

    One style is for all pictures of a batch, else each picture has its own.
    """

    weight: Tensor
    bias: Tensor

    def convolve(self, x: Tensor) -> Tensor:
        """x [B,in,H+2,W+2], its border included -> [B,out,H,W], with gradients. S is 1 or B."""
        count, weight, bias = len(self.weight), self.weight.to(x.dtype), self.bias.to(x.dtype)
        if count == 1:
            return F.conv2d(x, weight.squeeze(0), bias.squeeze(0))
        if x.device.type == "cpu":
            # Picture by picture is the fastest way there. On a GPU every call has its price.
            return torch.cat([F.conv2d(x[i : i + 1], weight[i], bias[i]) for i in range(count)])
        grouped = F.conv2d(x.reshape(1, -1, *x.shape[2:]), weight.flatten(0, 1), bias.flatten(), groups=count)
        return grouped.reshape(count, -1, *grouped.shape[2:])

    def convolve_shared(self, x: Tensor, shares: Shares, strip: Strip) -> Tensor:
        """One picture in S styles: x [1,in,rows,W] are the rows that the convolution of `strip` sees.

        Returns [1,out,strip,W], sum of share times convolution over the styles, each computed only in the
        columns that it has a share in.
        """
        size = 1, self.weight.shape[1], strip.stop - strip.start, x.shape[3]
        total = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last).zero_()
        kernels = zip(self.weight.to(x.dtype), self.bias.to(x.dtype), strict=True)
        for style, (weight, bias) in enumerate(kernels):
            if columns := shares.columns(style, strip):
                seen = columns.widened(1)
                part = pad_reflected(x[..., seen.start : seen.stop], strip, columns)
                share = shares.values[strip.start : strip.stop, columns.start : columns.stop, style]
                total[..., columns.start : columns.stop].addcmul_(F.conv2d(part, weight, bias), share)
        return total


@dataclass(frozen=True)
class Mixtures:
    """The kernels of B pictures for one layer, each a mixture of the same K kernels that is not merged yet.

    shares [B,K]; weight [out,K*in,3,3]; factor and bias [B,out].
    """

    shares: Tensor
    weight: Tensor
    factor: Tensor
    bias: Tensor

    def convolve(self, x: Tensor) -> Tensor:
        """x [B,in,H+2,W+2], its border included -> [B,out,H,W], with gradients: each picture its own mixture.

        The convolution of x with a mixture of kernels is one convolution, with all kernels, of x times each
        share, side by side. That is K times the arithmetic, but in one plain convolution for the whole batch.
        Convolutions in groups, one for each picture, are slow to train on GPUs; StyleGAN 2 avoids them, too.
        """
        rows = x.permute(0, 2, 3, 1)
        weighted = rows[:, :, :, None] * self.shares.to(x.dtype)[:, None, None, :, None]
        y = F.conv2d(weighted.flatten(3).permute(0, 3, 1, 2), self.weight)
        factor, bias = (each.to(y.dtype)[:, :, None, None] for each in (self.factor, self.bias))
        return torch.addcmul(bias, y, factor)


def pad_reflected(x: Tensor, rows: Strip, columns: Strip | None = None) -> Tensor:
    """x [B,C,h,w] with a reflected border where `rows` and `columns` (None: all) end at the picture's border.

    The strips say which part of the picture a 3x3 convolution computes; x is what it sees of the picture.
    """
    top, bottom = rows.borders.values()
    left, right = columns.borders.values() if columns else (True, True)
    return pad_by_one(x, left, right, top, bottom)


class DynamicConv3x3(nn.Module):
    """3x3 convolution with a kernel for each style: a mixture of `kernels` kernels (Chen et al. 2020).

    kernel(w) = kernel_0 + sum of a_k(w) kernel_k, with a affine in the style code w. Dynamic convolution
    mixes with a softmax; here codes mix and interpolate as linearly as the kernels do.
    """

    def __init__(self, channels: int, code_dim: int, kernels: int, gain: float = 1.0):
        super().__init__()
        self.kernels = kernels
        # [kernels * out, in, 3, 3], because channels_last knows four dimensions only.
        base = nn.Conv2d(channels, channels, kernel_size=3)
        init_conv(base, gain)
        others = torch.randn(kernels - 1, *base.weight.shape) * (base.weight.detach().std() * _SPREAD)
        self.weight = nn.Parameter(torch.cat([base.weight.detach()[None], others]).flatten(0, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.mix = nn.Linear(code_dim, kernels - 1) if kernels > 1 else None
        if self.mix is not None:
            nn.init.normal_(self.mix.weight, std=0.02)
            nn.init.zeros_(self.mix.bias)

    def merged(self, w: Tensor, factor: Tensor, in_place: bool = False) -> Kernels:
        """The kernels for style codes w [S,D], each filter times its factor [S,C] (filter modulation).

        In the weights' own precision, also under autocast. `in_place` takes less memory, and gives no
        gradients.
        """
        out, inputs = len(self.bias), self.weight.shape[1]
        with without_autocast(w.device):
            flat = self.weight.permute(0, 2, 3, 1).reshape(self.kernels, -1)
            # Split, not sliced: the gradient of each slice is as large as all kernels, and mostly zeros.
            mixed, others = flat.split((1, self.kernels - 1))
            if self.mix is not None:
                mixed = torch.addmm(mixed, self.mix(w.to(flat.dtype)), others)
            factor = factor.to(flat.dtype)
            mixed, factors = mixed.reshape(-1, out, 9 * inputs), factor[:, :, None]
            # Without a mixture they are the weights themselves.
            mixed = mixed.mul_(factors) if in_place and self.mix is not None else mixed * factors
            return Kernels(mixed.reshape(-1, out, 3, 3, inputs).permute(0, 1, 4, 2, 3), self.bias * factor)

    def mixtures(self, w: Tensor, factor: Tensor) -> Mixtures:
        """What `merged` merges, for style codes w [B,D]."""
        out = len(self.bias)
        with without_autocast(w.device):
            w = w.to(self.weight.dtype)
            ones = w.new_ones(len(w), 1)
            shares = ones if self.mix is None else torch.cat([ones, self.mix(w)], 1)
            side_by_side = self.weight.unflatten(0, (self.kernels, out)).transpose(0, 1).flatten(1, 2)
            factor = factor.to(self.weight.dtype)
            return Mixtures(shares, side_by_side, factor, self.bias * factor)
