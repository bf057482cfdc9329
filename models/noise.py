"""Noise for the brush: a function of place and seed, so that strips, tiles and crops have the same strokes.

A plain sky gives a convolution nothing to make strokes of; noise does (StyleGAN, Karras et al. 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from ..base.seeds import check_seed

_MASK = 2**32 - 1


class Noise(Protocol):
    """Gives the generator its noise; `PlacedNoise` is that of a still picture."""

    def maps(
        self, stride: int, count: int, size: tuple[int, int], corner: Tensor, device: torch.device
    ) -> Tensor:
        """`count` maps of normal numbers, [B or 1,count,h,w] float32, one for each block of a level.

        The level's cells have `stride` pixels. Its maps have `size` (h, w) and begin `corner` [B,2] pixels
        above each picture and left of it.
        """
        ...

    def picture(self, i: int) -> Noise:
        """That of picture i of the batch alone."""
        ...


@dataclass(frozen=True)
class PlacedNoise:
    """The noise of pictures that lie at `origin`, pixels down and right from where the counting begins.

    One seed is for all pictures of a batch, or each has its own. A crop with the place that it was cut from
    as its origin has the noise that the whole picture has there.
    Raises ValueError for a seed that is not a whole number from 0 to 2**64 - 1.
    """

    seeds: Sequence[int] = (0,)
    origin: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        for seed in self.seeds:
            check_seed(seed)

    def maps(
        self,
        stride: int,
        count: int,
        size: tuple[int, int],
        corner: Tensor,
        device: torch.device,
        first: int = 0,
    ) -> Tensor:
        """With `first`, those of the blocks from this one on."""
        if len(corner) > 1 and bool((corner == corner[:1]).all()):
            corner = corner[:1]
        rows, columns = (
            cell_places(length, stride, start - corner[:, axis]).to(device)
            for axis, (length, start) in enumerate(zip(size, self.origin, strict=True))
        )
        return normal(
            rows[:, None, :, None], columns[:, None, None, :], keys(self.seeds, stride, count, device, first)
        )

    def picture(self, i: int) -> PlacedNoise:
        return self if len(self.seeds) == 1 else replace(self, seeds=self.seeds[i : i + 1])


def cell_places(count: int, stride: int, start: Tensor) -> Tensor:
    """Where in the noise the centres of `count` cells lie that begin at pixels `start` [B]: [B,count]."""
    centers = torch.arange(count) * stride + stride // 2
    return (start[:, None] + centers).div(stride, rounding_mode="floor")


def keys(seeds: Sequence[int], stride: int, count: int, device: torch.device, first: int = 0) -> Tensor:
    """Two numbers of 32 bits for each seed and each map of the level of `stride` pixels, from the one of
    number `first` on: [2,S,count]."""
    found = [
        [_scrambled(_scrambled(int(seed)) + (stride << 32) + first + k) for k in range(count)]
        for seed in seeds
    ]
    both = [[[key >> 32 for key in row] for row in found], [[key & _MASK for key in row] for row in found]]
    return torch.tensor(both, device=device)


def normal(rows: Tensor, columns: Tensor, key: Tensor) -> Tensor:
    """Normal numbers, a function of the cells' `rows` and `columns`: [B,1,h or 1,w or 1] whole numbers each.

    key [2,S,count], S is 1 or B. Returns [B,count,h,w] float32, the same on every device up to rounding: a
    counter-based generator (Salmon et al. 2011) has no state that depends on the order of drawing.
    """
    row_key, column_key = key[:, :, :, None, None]
    bits = _mixed(_mixed((rows + row_key) & _MASK) ^ _mixed((columns + column_key) & _MASK))
    # The middle of each of 2**23 equal parts of -1..1, exact in float32 and never -1 or 1 itself.
    uniform = (bits >> 9).float().mul_(2**-22).add_(2**-23 - 1)
    return uniform.erfinv_().mul_(math.sqrt(2))


def _mixed(x: Tensor) -> Tensor:
    """A hash of whole numbers of 32 bits, held as int64; constants from Wellons's hash prospector (2018).

    Both factors have 31 bits at most, so that no product overflows.
    """
    x = (x ^ (x >> 16)) * 0x21F0AAAD & _MASK
    x = (x ^ (x >> 15)) * 0x735A2D97 & _MASK
    return x ^ (x >> 15)


def _scrambled(x: int) -> int:
    """A hash of whole numbers of 64 bits (SplitMix64, Steele et al. 2014)."""
    x = (x + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)
