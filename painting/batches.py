"""Pictures that go through the network in one call: how many, and which. Only where that is faster.

And the threads that read and write so many files as a network paints in this way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import torch
from torch import Tensor

from ..base.excerpt import value_excerpt
from ..base.settings import is_whole
from ..models.large.maps import StorageError
from ..models.memory import free_memory, is_out_of_memory
from ..pictures.values import check_floating
from .tile_size import WHOLE_BYTES

if TYPE_CHECKING:
    from .preparation import Prepared
    from .refine_step import OnStep
    from .stylizer import Stylizer

T = TypeVar("T")

# More gain nothing, and the first of them waits for the last one to be decoded.
_MOST_PICTURES, _MOST_PIXELS = 32, 2**24

# Each holds a picture. It takes twice as long to encode one as to decode it, or longer.
_MOST_READING, _MOST_WRITING = 4, 8


def pictures_at_once(size: tuple[int, int], device: torch.device, wanted: int = 0) -> int:
    """How many pictures of `size` (H, W) the network on `device` paints in one call at most.

    On a GPU of CUDA or ROCm, small pictures leave most of it idle, so as many as half of the free memory
    holds, in bounds. Elsewhere one: on a CPU a batch takes as long as its pictures alone
    (docs/history.md). `wanted` is the number itself; 0: from device and memory.

    >>> pictures_at_once((512, 512), torch.device("cpu")), pictures_at_once((9, 9), torch.device("cpu"), 4)
    (1, 4)
    """
    if wanted:
        return wanted
    if device.type != "cuda":
        return 1
    pixels = max(1, size[0] * size[1])
    fitting = free_memory(device) // 2 // (pixels * WHOLE_BYTES)
    return max(1, min(_MOST_PICTURES, _MOST_PIXELS // pixels, fitting))


def check_batch(batch: int) -> None:
    """Raise ValueError, one sentence, for a number of pictures that is no whole number from 0 on."""
    if not is_whole(batch):
        raise ValueError(f"batch is {value_excerpt(batch)}; give a whole number of pictures.")
    if batch < 0:
        raise ValueError(f"batch is {batch}; give 1 picture or more, or 0.")


def check_photos(photos: Sequence[Tensor]) -> None:
    """Raise ValueError, one sentence, unless all are [1,3,H,W] of floating point, and of one size."""
    for photo in photos:
        shape = tuple(check_floating(photo, "The photo").shape)
        if len(shape) != 4 or shape[:2] != (1, 3) or 0 in shape:
            raise ValueError(f"The photo has shape {shape}; it must be [1, 3, height, width].")
    if len({photo.shape for photo in photos}) > 1:
        raise ValueError("The photos have several sizes; paint those of one size together.")


class FileThreads(NamedTuple):
    """How many threads read photos, and how many write paintings."""

    reading: int = 1
    writing: int = 1


def file_threads(device: torch.device, wanted: int = 0) -> FileThreads:
    """One each where pictures are painted one by one. Else more: a core decodes 500 photos of 512² a second
    and encodes 250 JPEG or 44 PNG, and a GPU paints a thousand. `wanted` is as in `pictures_at_once`."""
    if pictures_at_once((1, 1), device, wanted) == 1:
        return FileThreads()
    cores = os.cpu_count() or 1
    return FileThreads(min(_MOST_READING, cores), min(_MOST_WRITING, cores))


def neighbors(
    items: Iterable[T], most: Callable[[T], int], kind: Callable[[T], Hashable | None]
) -> Generator[list[T], None, None]:
    """The items in their order, in lists: up to `most` of the first one, all of its `kind`.

    Items without a kind are alone where they come first, and go along with others after them. An item is
    read when its list needs it: behind a list that is full nothing has been read.

    >>> list(neighbors("aabx", lambda item: 3, lambda item: None if item == "x" else item))
    [['a', 'a'], ['b', 'x']]
    """
    iterator = iter(items)
    following = list(_next(iterator))
    while following:
        together, following = following, []
        first = kind(together[0])
        limit = 1 if first is None else most(together[0])
        while len(together) < limit and not following:
            item = _next(iterator)
            if not item:
                break
            if kind(item[0]) in (None, first):
                together += item
            else:
                following = item
            del item
        yield together
        del together
        following = following or _next(iterator)


def _next(iterator: Iterator[T]) -> list[T]:
    """The next item, if there is one."""
    for item in iterator:
        return [item]
    return []


class Together:
    """Paints `items`, small photos of one size: those in one style in one call of the network, when the first
    of them is asked for."""

    def __init__(
        self, stylizer: Stylizer, items: Sequence[Prepared], on_note: Callable[[str], None] | None = None
    ):
        self._stylizer, self._waiting, self._on_note = stylizer, list(items), on_note
        self._painted: dict[Prepared, tuple[Tensor, float]] = {}

    def paint(self, item: Prepared, on_step: OnStep | None = None) -> tuple[Tensor, float]:
        """The painting [1,3,H,W] of an item, which is asked for once, and the seconds that it took.

        Errors as of `Stylizer.paint`.
        """
        stylizer, style = self._stylizer, item.job.style
        if item not in self._painted and item in self._waiting:
            others = [each for each in self._waiting if each.job.style == style]
            self._waiting = [each for each in self._waiting if each.job.style != style]
            if len(others) > 1:
                self._paint_together(others)
        if item in self._painted:
            return self._painted.pop(item)
        began = time.monotonic()
        painted = stylizer.paint(item.reading.tensor, style, on_step, self._on_note)
        return painted, time.monotonic() - began

    def _paint_together(self, items: Sequence[Prepared]) -> None:
        began = time.monotonic()
        photos, style = [item.reading.tensor for item in items], items[0].job.style
        try:
            paintings = self._stylizer.paint_together(photos, style, self._on_note)
        except Exception as error:
            if not isinstance(error, ValueError | StorageError) and not is_out_of_memory(error):
                raise
            # What is wrong shows in each one alone.
            return
        seconds = (time.monotonic() - began) / len(items)
        self._painted = {
            item: (painting, seconds) for item, painting in zip(items, paintings, strict=True)
        } | self._painted
