"""Layers that the encoders and the generator share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-5
LEAKY_SLOPE = 0.2

Measure = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Where a normalisation gets the mean and the deviation of its input [B,C,H,W] from, two [B or 1,C,1,1]:
`channel_mean_std`, or what `models/video/moments.py` has kept of other pictures."""


class Conv3x3(nn.Conv2d):
    """3x3 convolution with reflected borders, [B,C,H,W] -> [B,out,H/stride,W/stride].

    Reflection and not zeros: with zeros a painted sky darkens and rings along the frame. H and W
    must be 2 or more; the networks pad every picture to at least 16 pixels to make that true.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, gain: float = 1.0):
        super().__init__(in_channels, out_channels, kernel_size=3, stride=stride)
        init_conv(self, gain)

    def forward(self, x: Tensor, top: bool = True, bottom: bool = True) -> Tensor:
        """Without `top` or `bottom` that border is not reflected and the output is a row shorter:
        for a strip from the middle of a picture, which brings its neighbours' rows along."""
        return super().forward(F.pad(x, (1, 1, int(top), int(bottom)), mode="reflect"))


@dataclass(frozen=True)
class Strip:
    """Rows `start` to `stop` of a map with `height` rows, to be computed by themselves.

    On a CPU, temporaries of a 2048-pixel picture come fresh from the system with every operation, and
    clearing their pages takes as long as the arithmetic; in strips they stay in the cache. The result is
    that of the whole: each strip reads as many rows of its neighbours as its convolutions see.
    """

    start: int
    stop: int
    height: int

    def widened(self, rows: int) -> Strip:
        """`rows` more on either side, as far as there are any."""
        return Strip(max(0, self.start - rows), min(self.height, self.stop + rows), self.height)

    def of(self, x: Tensor) -> Tensor:
        """These rows of x [B,C,H,W]."""
        return x[:, :, self.start : self.stop]

    @property
    def borders(self) -> dict[str, bool]:
        """Which borders of the strip are borders of the picture, for `Conv3x3`."""
        return {"top": self.start == 0, "bottom": self.stop == self.height}


STRIP_BYTES = 8 * 2**20

# On a GPU strips save no time, but in 8K the temporaries of whole maps would take gigabytes.
GPU_STRIP_BYTES = 256 * 2**20


def strips(x: Tensor) -> list[Strip]:
    """Strips of [B,C,H,W] of about 8 MB of float32 each, 256 MB on other devices, of 2 rows or more."""
    batch, channels, height, width = x.shape
    strip_bytes = STRIP_BYTES if x.device.type == "cpu" else GPU_STRIP_BYTES
    rows = max(2, strip_bytes // (4 * batch * channels * width))
    count = max(1, round(height / rows))
    edges = [height * i // count for i in range(count + 1)]
    return [Strip(start, stop, height) for start, stop in zip(edges[:-1], edges[1:], strict=True)]


def init_conv(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Kaiming normal (He et al. 2015) for a leaky ReLU of slope 0.2, times `gain`; bias 0."""
    nn.init.kaiming_normal_(layer.weight, a=LEAKY_SLOPE, nonlinearity="leaky_relu")
    if gain != 1.0:
        with torch.no_grad():
            layer.weight.mul_(gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def leaky_relu_(x: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2, in place, for maps that nobody else holds; a copy under autograd."""
    return F.leaky_relu(x, LEAKY_SLOPE, inplace=not torch.is_grad_enabled())


def channel_mean_std(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every channel over space: [B,C,H,W] -> two [B,C,1,1].

    sqrt(var + eps), because the square root has an infinite gradient on a dead channel.
    E[x^2] - E[x]^2 in float32: the features are of order 1, and two plain means are 10 times faster
    on channels_last CPU tensors than `torch.var_mean`.
    """
    x = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    mean = x.mean((2, 3), keepdim=True)
    if torch.is_grad_enabled():
        square = (x * x).mean((2, 3), keepdim=True)
    else:
        sums = [strip.of(x).square().sum((2, 3), keepdim=True) for strip in strips(x)]
        square = sum(sums) / (x.shape[2] * x.shape[3])
    return mean, ((square - mean * mean).clamp_min(0) + NORM_EPS).sqrt()


class _Standardise(torch.autograd.Function):
    """(x - mean) / std with the closed-form gradient: (g - E[g] - y E[g y]) / std.

    Left to autograd, the same derivative takes three times as many passes over the feature maps,
    and on a CPU those passes and not the convolutions are what training waits for.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        mean, std = channel_mean_std(x)
        normalised = torch.addcmul(-mean / std, x, 1 / std).to(x.dtype)
        ctx.save_for_backward(normalised, std)
        return normalised

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:
        normalised, std = ctx.saved_tensors
        offset = gradient.mean((2, 3), keepdim=True, dtype=std.dtype)
        slope = (gradient * normalised).mean((2, 3), keepdim=True, dtype=std.dtype)
        return torch.addcmul(gradient - offset, normalised, -slope).div_(std).to(gradient.dtype)


def instance_norm(x: Tensor) -> Tensor:
    """Every channel of [B,C,H,W] with mean 0 and deviation 1 over space (Ulyanov et al. 2016)."""
    return _Standardise.apply(x)


def instance_norm_(x: Tensor, measure: Measure = channel_mean_std) -> Tensor:
    """`instance_norm` in place, for maps that nobody else holds; a copy where autograd needs `x`.

    A `measure` of one's own is for frozen networks; autograd does not know it.
    """
    if torch.is_grad_enabled():
        return instance_norm(x)
    mean, std = measure(x)
    return torch.addcmul(-mean / std, x, 1 / std, out=x)


def adain(x: Tensor, scale: Tensor, shift: Tensor, measure: Measure = channel_mean_std) -> Tensor:
    """Adaptive instance normalisation (Huang & Belongie 2017), equation 8.

    x [B,C,H,W]; scale and shift [B,C]. Returns scale * (x - mean(x)) / std(x) + shift. A `measure` of
    one's own is for frozen networks; autograd does not know it.
    """
    if torch.is_grad_enabled():
        return torch.addcmul(shift[:, :, None, None], instance_norm(x), scale[:, :, None, None])
    offset, gain = adain_affine(x, scale, shift, measure)
    return torch.addcmul(offset, x, gain)


def adain_affine(
    x: Tensor, scale: Tensor, shift: Tensor, measure: Measure = channel_mean_std
) -> tuple[Tensor, Tensor]:
    """offset and gain, [B,C,1,1] each, such that adain(x) = offset + gain * x, row by row."""
    mean, std = measure(x)
    gain = scale[:, :, None, None] / std
    return shift[:, :, None, None] - mean * gain, gain


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


def pad_to_stride(image: Tensor, stride: int) -> Tensor:
    """Reflect [B,C,H,W] at the right and the bottom to multiples of `stride` of at least 16 pixels."""
    height, width = image.shape[-2:]
    return _reflect(image, 0, 0, _padded_side(height, stride), _padded_side(width, stride))


def pad_around(image: Tensor, corner: Tensor, most: int, stride: int) -> Tensor:
    """Reflect [B,C,H,W] on all sides; above and left of picture b by corner[b], 0 to `most` pixels each.

    The result has room for `most` pixels whatever the corners are, in multiples of `stride` of at least 16
    pixels, so that pictures of one size remain a batch.
    """
    height, width = (_padded_side(side + most, stride) for side in image.shape[-2:])
    padded = [
        _reflect(picture, top, left, height, width)
        for picture, (top, left) in zip(image.split(1), corner.tolist(), strict=True)
    ]
    return padded[0] if len(padded) == 1 else torch.cat(padded)


def _padded_side(side: int, stride: int) -> int:
    return max(16, math.ceil(side / stride) * stride)


def _reflect(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """[B,C,H,W] -> [B,C,height,width], the picture `top` and `left` pixels from the corner.

    Works from 1x1 up, where `F.pad` refuses a border larger than the picture.
    """
    bottom, right = height - image.shape[-2] - top, width - image.shape[-1] - left
    if not any((top, left, bottom, right)):
        return image
    if max(top, bottom) < image.shape[-2] and max(left, right) < image.shape[-1]:
        return F.pad(image, (left, right, top, bottom), mode="reflect")
    rows = reflection_index(image.shape[-2], top, bottom, image.device)
    columns = reflection_index(image.shape[-1], left, right, image.device)
    return image[:, :, rows][:, :, :, columns]


def unshuffle(image: Tensor) -> Tensor:
    """The stem of both encoders: image [B,3,H,W] in 0..1 -> cells [B,48,H/4,W/4] in -1..1."""
    return F.pixel_unshuffle(image.contiguous(memory_format=torch.channels_last) * 2 - 1, 4)
