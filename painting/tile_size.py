"""How much of a picture the network paints at a time, and where: as much as the memory allows."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from ..base.excerpt import value_excerpt
from ..base.settings import is_whole
from ..models.large.maps import MapStore
from ..models.memory import free_memory, is_out_of_memory, release_cache
from ..models.style_gan import StyleGAN
from ..models.unfilled import Unfilled

T = TypeVar("T")

WHOLE_BYTES = 170
"""Bytes for each pixel of a picture that is painted whole: 140 measured, and the picture twice."""

# Bytes of the finest feature map for each pixel: 80 channels of float32 in cells of 16 pixels.
_MAP_BYTES = 20

SMALLEST_TILE = 64

# Tiles are so large at first. On a CPU their maps stay in the cache, on a GPU few calls do much.
_CPU_TILE, _GPU_TILE = 640, 3584
# A tile is a strip of the whole width, and its convolutions read one row of cells beyond it on either side.
# On a CPU, this many rows of pixels are worth more than the cache.
_CPU_ROWS = 64


@dataclass(frozen=True)
class Plan:
    """Paint on `device`, all of a picture (tile 0) or in tiles.

    A tile is a strip of the picture's whole width, with about as many pixels as a square of the side `tile`.
    Whole, up to so many `pictures` go through the network in one call.
    """

    device: torch.device
    tile: int
    pictures: int = 1

    @property
    def words(self) -> str:
        """After "the picture is painted"."""
        here = "on the CPU" if self.device.type == "cpu" else f"on {self.device}"
        if self.pictures > 1:
            return f"{here}, {self.pictures} in one call"
        return f"{here} in tiles of {self.tile} pixels" if self.tile else f"{here} in one piece"

    def store(self, memory: int | None = None, folder: Path | None = None) -> MapStore:
        """A place for feature maps: `memory` bytes in the main memory, or half of what is free, and files in
        `folder`, or in the system's folder for temporary files, beyond these."""
        memory = free_memory(torch.device("cpu")) // 2 if memory is None else memory
        folder = Path(tempfile.gettempdir()) if folder is None else folder
        return MapStore(self.device, _MAP_BYTES * self.tile**2, memory, folder)


def make_plans(size: tuple[int, int], device: torch.device, tile: int = 0, pictures: int = 1) -> list[Plan]:
    """The ways to paint a picture of `size` (height, width) on `device`, each for when memory runs out in the
    one before: whole if that seems to fit, smaller and smaller tiles, and the same on the CPU.

    `tile` is the side that the user wants; 0: from the free memory. Where so many `pictures` are to be
    painted in one call, whole is: these, half of them in a call, and so on, and one by one.

    >>> [plan.tile for plan in make_plans((1500, 2000), torch.device("cpu"), tile=256)]
    [256, 128, 64]
    >>> [plan.pictures for plan in make_plans((15, 20), torch.device("cpu"), pictures=5)]
    [5, 2, 1, 1]
    """
    height, width = size
    on_cpu = device.type == "cpu"
    side = tile or (max(_CPU_TILE, math.isqrt(_CPU_ROWS * width)) if on_cpu else _GPU_TILE)
    fits = height * width <= tile**2 if tile else height * width * WHOLE_BYTES <= free_memory(device)
    sides = [0] if fits else []
    side = min(side, max(SMALLEST_TILE, math.isqrt(height * width)))
    while side >= SMALLEST_TILE:
        sides.append(side)
        side //= 2
    plans = []
    while fits and pictures > 1:
        plans.append(Plan(device, 0, pictures))
        pictures //= 2
    plans += [Plan(device, each) for each in sides]
    return plans if on_cpu else plans + make_plans(size, torch.device("cpu"), tile)


def first_that_fits(
    plans: Sequence[Plan], work: Callable[[Plan], T], on_note: Callable[[str], object] | None = None
) -> T:
    """What `work` makes of the first plan that memory suffices for; `on_note` is told of every other one.

    Raises the error of the last plan.
    """
    for plan, following in zip(plans, plans[1:], strict=False):
        try:
            return work(plan)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            # The traceback holds the tensors of what failed.
            error.__traceback__ = None
        release_cache(plan.device)
        if on_note:
            on_note(f"Memory ran out: the picture is now painted {following.words}.")
    return work(plans[-1])


def network_on(gan: StyleGAN, device: torch.device) -> StyleGAN:
    """The network itself if it is on `device`, otherwise a copy there."""
    here = next(gan.parameters()).device
    if here.type == device.type and device.index in (None, here.index):
        return gan
    with Unfilled():
        copy = StyleGAN(gan.config)
    copy.load_state_dict({name: value.cpu() for name, value in gan.state_dict().items()})
    return copy.to(device).eval().requires_grad_(False)


def check_tile(tile: int) -> None:
    """Raise ValueError, one sentence, for a side of tiles that is no whole number, 0 or from 64 on."""
    if not is_whole(tile):
        raise ValueError(f"tile is {value_excerpt(tile)}; give a whole number of pixels.")
    if tile != 0 and tile < SMALLEST_TILE:
        raise ValueError(f"tile is {tile}; give {SMALLEST_TILE} pixels or more, or 0.")
