"""Which photos meet which paintings."""

from __future__ import annotations

import math
import random


def draw_pairs(contents: int, styles: int, count: int, seed: int) -> list[tuple[int, int]]:
    """`count` different pairs (photo, painting) as indices, all there are if `count` is more.

    No picture returns before all of its kind have been used. Raises ValueError where there is no
    photo or no painting.

    >>> draw_pairs(2, 3, 4, seed=0)
    [(1, 0), (0, 1), (1, 2), (0, 0)]
    >>> len(set(draw_pairs(4, 6, 100, seed=0)))
    24
    """
    if contents < 1 or styles < 1:
        raise ValueError(f"There are {contents} photos and {styles} paintings; give at least one of each.")
    rng = random.Random(seed)
    photos = rng.sample(range(contents), contents)
    paintings = rng.sample(range(styles), styles)
    # Walking both lists in step meets every pair after lcm steps at most; then one list slips.
    lap = math.lcm(contents, styles)
    return [
        (photos[i % contents], paintings[(i + i // lap) % styles])
        for i in range(min(count, contents * styles))
    ]
