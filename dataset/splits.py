"""Who trains, who validates and who is kept for the final test. Nobody else decides it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Hashable, Sequence


def validation_split(
    keys: Sequence[str], share: float, seed: int = 0, groups: Sequence[Hashable] | None = None
) -> tuple[list[int], list[int]]:
    """Indices of the pictures to train on and of those to validate on, both in the order of `keys`.

    For the few pictures of one style, where `PictureFolder.split` may leave nothing to validate on.
    `keys` are the pictures' names; `share` is the validation pictures' part of all, 0 to 0.5;
    pictures of one group (ids in `groups`, one per key: near-duplicates) stay together, and so do
    equal keys where there are no groups.

    Who validates is drawn by SHA-256 of seed and name, so the order of `keys` does not matter, and
    without groups another picture in the folder moves at most one of the others to the other side.
    From four pictures on at least one validates if `share` is more than 0, at most half ever do;
    none where all are near-duplicates of each other. With fewer than four, all are trained on.
    Raises ValueError for another share, or for as many groups as there are not keys.

    >>> validation_split(["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"], 0.2)
    ([1, 2, 3, 4], [0])
    """
    if not 0 <= share <= 0.5:
        raise ValueError(f"The validation share is {share}; give a number from 0 to 0.5.")
    groups = keys if groups is None else groups
    if len(groups) != len(keys):
        raise ValueError(f"There are {len(groups)} group ids for {len(keys)} pictures; give one each.")
    everyone = list(range(len(keys)))
    if share == 0 or len(keys) < 4:
        return everyone, []
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)

    def rank(group: list[int]) -> tuple[bytes, str]:
        # By one name of the group, not by the least hash of all: large groups would always come first.
        name = min(keys[i] for i in group)
        return hashlib.sha256(f"{seed}:{name}".encode()).digest(), name

    wanted = min(max(1, math.floor(share * len(keys) + 0.5)), len(keys) // 2)
    drawn = sorted(members.values(), key=rank)
    chosen: list[int] = []
    for group in drawn:
        if len(chosen) + len(group) <= wanted:
            chosen += group
    if not chosen:  # Every group is larger than that; the smallest, unless it is more than half.
        chosen = min(drawn, key=len)
        chosen = chosen if len(chosen) <= len(keys) // 2 else []
    return sorted(set(everyone) - set(chosen)), sorted(chosen)


SPLITS = ("train", "val", "test")


def hash_split(key: str) -> str:
    """'train', 'val' or 'test' for a path, the same on every machine.

    >>> [hash_split(f"monet/{i}.jpg") for i in range(6)]
    ['train', 'train', 'train', 'train', 'test', 'train']
    """
    bucket = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 100
    return "train" if bucket < 80 else "val" if bucket < 90 else "test"
