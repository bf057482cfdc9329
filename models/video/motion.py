"""Optical flow: the motion between two frames, and how sure it is."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...pictures.color import luma
from ..devices import sampled

# Motion is looked for in frames whose longer side is at most this many pixels.
FLOW_SIZE = 640

# A window of this side, in pixels of a pyramid's level, is assumed to move as one.
_WINDOW = 7
_ITERATIONS = 3
_SMALLEST_LEVEL = 16

# Added to the gradients' energy: where there is less to see than this, as in a cloudless sky, the motion of
# the coarser levels stays.
_DAMPING = 1e-4

# Motion below this many pixels is noise.
_STILL = 0.1

# Differences between a frame and the moved previous frame that still count as equal: a sensor's noise, in
# 0..1, and the effect of an error of half a pixel on the picture's own gradients.
_NOISE = 0.02
_ERROR = 0.5


def find_motion(previous: Tensor, current: Tensor) -> tuple[Tensor, Tensor]:
    """Two frames [1,3,H,W] in 0..1 -> flow [1,2,h,w] and trust [1,1,h,w], reduced to `FLOW_SIZE`.

    What is at (x, y) in `current` was at (x, y) + flow in `previous`, in pixels of the reduced frames,
    x first. Trust is 1 where the moved previous frame looks like the current one and falls to 0 where it
    does not: things have come into view, turned, or moved too fast to be followed.
    """
    flow, trust = sampled(_flow_and_trust, previous, current).split([2, 1], 1)
    return flow, trust


def _flow_and_trust(previous: Tensor, current: Tensor) -> Tensor:
    """What `find_motion` finds, flow first, [1,3,h,w]."""
    previous, current = _reduce(previous), _reduce(current)
    flow, difference = _with_dominant_motion(previous, current, _estimate(previous, current))
    dx, dy = _gradients(current)
    allowed = _NOISE + _ERROR * window_mean((dx.square() + dy.square()).sqrt().mean(1, keepdim=True), 5)
    trust = (2 - difference / allowed).clamp(0, 1)
    # Near a place that fails, flow is a mixture of two motions.
    trust = -F.max_pool2d(-trust, 5, stride=1, padding=2)
    return torch.cat([flow, trust * inside(flow)], 1)


def warp(image: Tensor, flow: Tensor, mode: str = "bilinear") -> Tensor:
    """image [1,C,H,W] fetched from (x, y) + flow, flow [1,2,H,W] in its pixels; borders go on outside."""
    height, width = image.shape[-2:]
    x, y = _positions(flow)
    # From pixels to grid_sample's -1..1, where -1 and 1 are the outer edges of the outer pixels.
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    fetch = partial(F.grid_sample, mode=mode, padding_mode="border", align_corners=False)
    return sampled(fetch, image, grid)


def enlarge(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """A flow [1,2,h,w] for frames of `size` H, W, in their pixels."""
    scale = flow.new_tensor([size[1] / flow.shape[-1], size[0] / flow.shape[-2]])
    return F.interpolate(flow, size, mode="bilinear", align_corners=False) * scale[:, None, None]


def _reduce(frame: Tensor) -> Tensor:
    factor = max(1, math.ceil(max(frame.shape[-2:]) / FLOW_SIZE))
    size = [math.ceil(side / factor) for side in frame.shape[-2:]]
    return F.interpolate(frame, size, mode="area") if factor > 1 else frame


def _estimate(previous: Tensor, current: Tensor) -> Tensor:
    """Lucas & Kanade 1981, at every pixel, iterated down a pyramid (Bouguet 2001)."""
    pyramid = [(luma(previous), luma(current))]
    while min(pyramid[-1][0].shape[-2:]) >= 2 * _SMALLEST_LEVEL:
        coarser, coarser_after = (F.avg_pool2d(frame, 2, ceil_mode=True) for frame in pyramid[-1])
        pyramid.append((coarser, coarser_after))
    flow = current.new_zeros(1, 2, 1, 1)
    for before, after in reversed(pyramid):
        flow = _refine(before, after, enlarge(flow, (after.shape[-2], after.shape[-1])))
    length = torch.linalg.vector_norm(flow, dim=1, keepdim=True)
    shortened: Tensor = flow * (1 - _STILL / length.clamp_min(_STILL))
    return shortened


def _with_dominant_motion(previous: Tensor, current: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Flow, and the difference [1,1,h,w] that it leaves.

    Places that show no motion of their own, such as clear sky or darkness beside something that passes,
    move with most of the frame.
    """
    dominant = flow.flatten(2).median(2).values[:, :, None, None].expand_as(flow)
    left, left_by_dominant = (_difference(previous, current, candidate) for candidate in (flow, dominant))
    share = window_mean((left_by_dominant <= 1.1 * left + 1e-3).to(flow.dtype), 5)
    flow = torch.lerp(flow, dominant, share)
    return flow, _difference(previous, current, flow)


def _difference(previous: Tensor, current: Tensor, flow: Tensor) -> Tensor:
    return window_mean((warp(previous, flow) - current).abs().mean(1, keepdim=True), 5)


def _refine(before: Tensor, after: Tensor, flow: Tensor) -> Tensor:
    dx, dy = map(_WithMean.from_values, _gradients(after))
    xx, xy, yy = (_covariance(a, b) for a, b in ((dx, dx), (dx, dy), (dy, dy)))
    xx, yy = xx + _DAMPING, yy + _DAMPING
    determinant = xx * yy - xy * xy
    for _ in range(_ITERATIONS):
        missing = _WithMean.from_values(after - warp(before, flow))
        x, y = _covariance(dx, missing), _covariance(dy, missing)
        step = torch.cat([yy * x - xy * y, xx * y - xy * x], 1) / determinant
        # The linear model of the picture holds for about a pixel.
        flow = window_mean(flow + step.clamp(-1, 1), 5)
    return flow


class _WithMean(NamedTuple):
    """A map [1,1,H,W] and its means in the windows around every pixel, which several covariances use."""

    values: Tensor
    mean: Tensor

    @classmethod
    def from_values(cls, values: Tensor) -> _WithMean:
        return cls(values, window_mean(values, _WINDOW))


def _covariance(a: _WithMean, b: _WithMean) -> Tensor:
    """The covariance of two maps [1,1,H,W] within the window around every pixel.

    Means are subtracted, because light that comes and goes is no motion.
    """
    return window_mean(a.values * b.values, _WINDOW) - a.mean * b.mean


def _gradients(frame: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and y."""
    padded = F.pad(frame, (1, 1, 1, 1), mode="replicate")
    dx = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    dy = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    return dx / 2, dy / 2


def window_mean(x: Tensor, side: int) -> Tensor:
    """The mean of [B,C,H,W] in the window of odd `side` around every pixel, of what lies in the picture."""
    if x.device.type == "cpu":
        # PyTorch's pooling on a CPU takes no vectors, and side x side steps for each pixel.
        return _mean_along(_mean_along(x, -1, side), -2, side)
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, count_include_pad=False)


def _mean_along(x: Tensor, dim: int, side: int) -> Tensor:
    """The mean of up to `side` neighbours along one of the last two dimensions."""
    length = x.shape[dim]
    total, count = x.clone(), x.new_ones(length)
    for k in range(1, min(side // 2, length - 1) + 1):
        rest = length - k
        total.narrow(dim, 0, rest).add_(x.narrow(dim, k, rest))
        total.narrow(dim, k, rest).add_(x.narrow(dim, 0, rest))
        count[:rest] += 1
        count[k:] += 1
    return total.div_(count if dim == -1 else count[:, None])


def _positions(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Where `flow` leads, x and y, [1,H,W] each."""
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    return x, y


def inside(flow: Tensor) -> Tensor:
    """1 where `flow` leads into the frame, 0 where it leads out, [1,1,H,W]."""
    height, width = flow.shape[-2:]
    x, y = _positions(flow)
    return ((x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)).to(flow.dtype)[:, None]
