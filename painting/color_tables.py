"""A photo's colour distribution for a painting that is seen a strip at a time."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

Levels = np.ndarray[Any, np.dtype[np.uint16]]

_LEVELS = 2**16


class ColorTables:
    """What `match_histogram` does, from counts of values of 16 bits: count all strips, then match them.

    Values in one level share a rank. Where the photo's colours have a gap, a few pixels may land on the other
    side of it.
    """

    def __init__(self) -> None:
        self._painted = np.zeros((3, _LEVELS), np.int64)
        self._photo = np.zeros((3, _LEVELS), np.int64)

    def count(self, painted: Tensor, photo: Tensor) -> Levels:
        """Count the same strip [1,3,rows,W] of both, in 0..1; the painted one's levels [3,rows,W]."""
        levels = _levels(painted)
        for counts, values in ((self._painted, levels), (self._photo, _levels(photo))):
            for channel in range(3):
                counts[channel] += np.bincount(values[channel].ravel(), minlength=_LEVELS)
        return levels

    def matched(self, levels: Levels) -> Tensor:
        """Painted levels [3,rows,W] with the photo's distribution: [1,3,rows,W] in 0..1."""
        channels = [table[values] for table, values in zip(self._tables, levels, strict=True)]
        return torch.from_numpy(np.stack(channels))[None]

    @cached_property
    def _tables(self) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
        return [_table(*counts) for counts in zip(self._painted, self._photo, strict=True)]


def _levels(picture: Tensor) -> Levels:
    levels = (picture[0].clamp(0, 1) * (_LEVELS - 1)).round().to(torch.int32)
    return np.ascontiguousarray(levels.numpy(), np.uint16)


def _table(
    painted: np.ndarray[Any, np.dtype[np.int64]], photo: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Each level's place among the painted values is the middle of its equals; the photo's value there."""
    place = (np.cumsum(painted) - painted / 2 - 0.5).clip(0, max(0, photo.sum() - 1))
    below = np.floor(place)
    ends = np.cumsum(photo)
    last = ends[-1] - 1
    low = np.searchsorted(ends, below, side="right")
    high = np.searchsorted(ends, np.minimum(below + 1, last), side="right")
    level = low + (high - low) * (place - below)
    table: np.ndarray[Any, np.dtype[np.float32]] = (level / (_LEVELS - 1)).astype(np.float32)
    return table
