"""Which photos meet which paintings."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

from ..base.counts import counted

A = TypeVar("A")
B = TypeVar("B")


def pairs_in_step(photos: Sequence[A], paintings: Sequence[B], count: int) -> list[tuple[A, B]]:
    """The first `count` different pairs of a photo and a painting, fewer where there are no more.

    No picture returns before all of its kind have been used.

    >>> pairs_in_step("ab", "xyz", 7)
    [('a', 'x'), ('b', 'y'), ('a', 'z'), ('b', 'x'), ('a', 'y'), ('b', 'z')]
    """
    # Walking both lists in step meets every pair after lcm steps at most; then one list slips.
    lap = math.lcm(len(photos), len(paintings))
    return [
        (photos[i % len(photos)], paintings[(i + i // lap) % len(paintings)])
        for i in range(min(count, len(photos) * len(paintings)))
    ]


def draw_pairs(contents: int, styles: int, count: int, seed: int) -> list[tuple[int, int]]:
    """`count` different pairs (photo, painting) as indices, all there are if `count` is more.

    `seed` draws the order of both kinds; then see `pairs_in_step`. Raises ValueError if there is no photo
    or no painting.

    >>> draw_pairs(2, 3, 4, seed=0)
    [(1, 0), (0, 1), (1, 2), (0, 0)]
    >>> len(set(draw_pairs(4, 6, 100, seed=0)))
    24
    """
    if contents < 1 or styles < 1:
        found = f"{counted(contents, 'photo')} and {counted(styles, 'painting')}"
        raise ValueError(f"There are {found}; give at least one of each.")
    rng = random.Random(seed)
    photos = rng.sample(range(contents), contents)
    paintings = rng.sample(range(styles), styles)
    return pairs_in_step(photos, paintings, count)
