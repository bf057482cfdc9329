"""A photo's palette for a painting that is seen a strip at a time."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .palette import PaletteChange, light_of

Values = np.ndarray[Any, np.dtype[np.float32]]
Counts = np.ndarray[Any, np.dtype[np.int64]]

# Light is counted in so many levels: two colours hardly ever have the same.
_LIGHTS = 2**22

# This many pixels of a picture, evenly spread, say what its colours are at each light.
_SAMPLE = 2**21


class StripPalette:
    """What `match_palette` does to a picture of `pixels` pixels: look at all strips, then recolour them.

    Light is matched by counts of values of 22 bits. Values in one level share a rank: where the photo's light
    has a gap, a few pixels may land on the other side of it.
    """

    def __init__(self, pixels: int) -> None:
        self._every = -(-pixels // _SAMPLE)
        self._painted, self._photo = (np.zeros(_LIGHTS, np.int64) for _ in range(2))
        self._painted_sample: list[Tensor] = []
        self._photo_sample: list[Tensor] = []

    def look(self, painted: Tensor, photo: Tensor) -> Values:
        """Look at the same strip [1,3,rows,W] of both, in 0..1; the painted one's values [3,rows,W].

        The photo's palette may have many times the painting's contrast, so the values are not rounded.
        """
        seen = painted.float().clamp(0, 1).contiguous()
        for picture, counts, sample in (
            (seen, self._painted, self._painted_sample),
            (photo, self._photo, self._photo_sample),
        ):
            counts += np.bincount(_lights(picture), minlength=_LIGHTS)
            sample.append(picture.flatten(2)[0, :, :: self._every].clone())
        values: Values = seen[0].numpy()
        return values

    def recolored(self, values: Values) -> Tensor:
        """A painted strip's values [3,rows,W] in the photo's colours: [1,3,rows,W] in 0..1."""
        painted = torch.from_numpy(values)[None]
        pixels = self._change.recolored(painted.flatten(2)[0], self._new_light(painted))
        return pixels.view_as(painted)

    def _new_light(self, painted: Tensor) -> Tensor:
        return torch.from_numpy(self._table[_lights(painted)])

    @cached_property
    def _table(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        return _table(self._painted, self._photo)

    @cached_property
    def _change(self) -> PaletteChange:
        painted, photo = (torch.cat(each, 1) for each in (self._painted_sample, self._photo_sample))
        return PaletteChange.between(painted, self._new_light(painted[None, :, :, None]), photo)


def _lights(picture: Tensor) -> Counts:
    """[1,3,rows,W] -> [rows * W], 0 to `_LIGHTS` - 1."""
    lights: Counts = (light_of(picture).clamp(0, 1).double() * (_LIGHTS - 1)).round().long().flatten().numpy()
    return lights


def _table(painted: Counts, photo: Counts) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Each level's place among the painted values is the middle of its equals; the photo's value there."""
    place = (np.cumsum(painted) - painted / 2 - 0.5).clip(0, max(0, photo.sum() - 1))
    below = np.floor(place)
    ends = np.cumsum(photo)
    last = ends[-1] - 1
    low = np.searchsorted(ends, below, side="right")
    high = np.searchsorted(ends, np.minimum(below + 1, last), side="right")
    level = low + (high - low) * (place - below)
    table: np.ndarray[Any, np.dtype[np.float32]] = (level / (_LIGHTS - 1)).astype(np.float32)
    return table
