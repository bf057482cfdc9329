"""The steps of 8 bits in smooth places of a photo, which the network would paint as lines."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .grid import PixelRows

# How far a value may move. It stands for all that are half a step of 8 bits away; with a tenth more, smooth
# places that are curved lose their steps, too.
_MOST = 0.6 / 255

# With 16, too, wider steps are found, but small pictures keep more of theirs.
_DISTANCES = 1, 2, 4, 8
_REACH = sum(_DISTANCES)
"""How many pixels around a pixel decide its value."""

# So many pixels are smoothed together on a processor: their sums stay in its cache.
_CACHED = 2**16


def unquantized(image: Tensor) -> Tensor:
    """Pictures [B,3,H,W] in 0..1, each value as smooth as its rounding to 8 bits allows.

    A sky that gets lighter by a level every few pixels is a stair in a file. An encoder that normalises
    contrast makes strong edges of its steps, where a picture has little else. So each value goes to that of a
    smoothed picture (a B-spline with holes, the "à trous" wavelet of Holschneider 1989), by 0.6 of a step at
    most. Where a photo has detail, this changes no more than its rounding did.

    >>> stair = (torch.linspace(0.5, 0.52, 64) * 255).round().expand(1, 3, 64, 64) / 255
    >>> [round(255 * picture.diff().max().item(), 2) for picture in (stair, unquantized(stair))]
    [1.0, 0.09]
    """
    values = image.to(torch.promote_types(image.dtype, torch.float32))
    bordered = F.pad(values, (_REACH,) * 4, mode="replicate")
    height, width = image.shape[2:]
    rows = height if image.device.type != "cpu" else max(1, _CACHED // (len(image) * width))
    strips = (bordered[:, :, start : start + rows + 2 * _REACH] for start in range(0, height, rows))
    smooth = [_unquantized_strip(strip) for strip in strips]
    return (smooth[0] if len(smooth) == 1 else torch.cat(smooth, 2)).to(image.dtype)


def _unquantized_strip(bordered: Tensor) -> Tensor:
    """Rows with `_REACH` pixels on all sides, which the result is without."""
    # The weights 1, 2, 1 are two sums of neighbours; all factors 1/4 are one at the end.
    smooth = bordered
    for axis in (2, 3):
        for distance in _DISTANCES:
            for _ in range(2):
                length = smooth.shape[axis] - distance
                smooth = smooth.narrow(axis, 0, length) + smooth.narrow(axis, distance, length)
    values = bordered[:, :, _REACH:-_REACH, _REACH:-_REACH]
    moved = (smooth * 0.25 ** (2 * len(_DISTANCES)) - values).clamp_(-_MOST, _MOST)
    return values + moved


def unquantized_rows(rows: PixelRows, height: int) -> PixelRows:
    """`unquantized` of a picture of `height` rows that are read a few at a time, to the last bit."""

    def smooth(start: int, stop: int) -> Tensor:
        first, last = max(0, start - _REACH), min(height, stop + _REACH)
        return unquantized(rows(first, last))[:, :, start - first : stop - first]

    return smooth
