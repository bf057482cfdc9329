"""Guides for style statistics: which places of a picture are plain, such as sky and walls.

Statistics of a whole painting ask a bare wall for all the figures that are in the painting. Guided by
plainness (spatial guidance channels, Gatys 2017, found here without a user), a photo's plain grounds are
compared with the painting's plain grounds, and the rest with the rest.
"""

from __future__ import annotations

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.devices import sampled

# Plainness is looked for at this mean side: fine grain is plain, and large pictures cost nothing.
_SIDE = 256

# Contrast is measured in windows of this share of the mean side.
_WINDOW = 1 / 40

# A photo's contrast, as the deviation of the colours in a window: up to the first it is plain, from the
# second on it is not. Dim and hazy photos have less, down to a quarter of it.
_PLAIN, _FULL = 0.02, 0.07
_DIMMEST = 0.25

# The part of a painting that is its plain ground: as much as is plain by itself, within these limits. Where
# nothing is plain, the least busy quarter stands for it. The border between both is soft by so much each way.
_SMALLEST, _LARGEST = 0.25, 0.75
_SOFT = 0.1


def photo_plainness(photo: Tensor) -> Tensor:
    """[B,3,H,W] -> [B,1,H,W] in 0..1: 1 where the photo has hardly any contrast."""
    contrast = _contrast(photo)
    strong = _quantile(contrast, 0.9)
    scale = (strong / (2 * _FULL)).clamp(_DIMMEST, 1)
    full = (contrast / scale - _PLAIN) / (_FULL - _PLAIN)
    return _enlarged(1 - full.clamp(0, 1), photo)


def painting_plainness(painting: Tensor) -> Tensor:
    """[B,3,h,w] -> [B,1,h,w] in 0..1: 1 in the plainest part of the painting, a quarter or more of it."""
    contrast = _contrast(painting)
    plain = []
    for each in contrast[:, None]:
        share = float((each < (_PLAIN + _FULL) / 2).float().mean())
        share = min(_LARGEST, max(_SMALLEST, share))
        low, high = _quantile(each, share - _SOFT), _quantile(each, share + _SOFT)
        plain.append(1 - ((each - low) / (high - low).clamp_min(1e-6)).clamp(0, 1))
    return _enlarged(torch.cat(plain), painting)


def split(shares: Tensor | None, plain: Tensor) -> Tensor:
    """Each of K regions in its plain part and the rest, [1 or B,2K,H,W] with the same sums.

    shares [1 or B,K,H,W], or None with one region; plain [1 or B,1,H,W].
    """
    parts = torch.cat([plain, 1 - plain], 1)
    if shares is None:
        return parts
    return (shares[:, :, None] * parts[:, None]).flatten(1, 2)


def _contrast(picture: Tensor) -> Tensor:
    """[B,3,H,W] -> [B,1,h,w]: the deviation of the colours around each place, at a mean side of `_SIDE`."""
    height, width = picture.shape[-2:]
    side = math.sqrt(height * width)
    if side > _SIDE:
        size = [max(1, round(length * _SIDE / side)) for length in (height, width)]
        picture = sampled(partial(F.interpolate, size=size, mode="area"), picture)
        side = _SIDE
    window = max(1, round(side * _WINDOW / 2))
    mean, square = _softened(picture, window), _softened(picture.square(), window)
    variance = (square - mean.square()).clamp_min(0).mean(1, keepdim=True)
    # A window finds an outline on both sides of it. Plain grounds reach up to the outline.
    least = -F.max_pool2d(-variance.sqrt(), 2 * window + 1, 1, window)
    return _softened(least, max(1, window // 2))


def _softened(picture: Tensor, reach: int) -> Tensor:
    """Twice the mean of the pixels that are up to `reach` away, borders mirrored."""
    down, across = (min(reach, length - 1) for length in picture.shape[-2:])
    for _ in range(2):
        padded = F.pad(picture, (across, across, down, down), mode="reflect")
        picture = F.avg_pool2d(padded, (2 * down + 1, 2 * across + 1), 1)
    return picture


def _enlarged(guide: Tensor, picture: Tensor) -> Tensor:
    size = picture.shape[-2:]
    return guide if guide.shape[-2:] == size else F.interpolate(guide, size, mode="bilinear")


def _quantile(values: Tensor, share: float) -> Tensor:
    """Of each picture of a batch, [B,1,1,1]."""
    ordered = values.flatten(1).sort(1).values
    return ordered[:, round(share * (ordered.shape[1] - 1)), None, None, None]
