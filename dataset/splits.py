"""Who trains, who validates and who is kept for the final test. Nobody else decides it.

`assign_splits` is the rule: for the node, the command, the report on a folder and the API.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Hashable, Sequence
from pathlib import Path

SPLITS = ("train", "val", "test")

MANY = 100
"""From so many pictures on the split goes by the hash of their names."""

VALIDATION_SHARE = 0.15
"""The part of fewer pictures that validates, unless the user says otherwise."""


def assign_splits(
    names: Sequence[str], share: float = VALIDATION_SHARE, groups: Sequence[Hashable] | None = None
) -> list[str]:
    """'train', 'val' or 'test' for every picture.

    `names` are the pictures' paths below their folder, with forward slashes. From `MANY` pictures on, 80, 10
    and 10 in 100 train, validate and are kept for the final test, by the hash of the name: a picture then
    stays where it is when others come. Of fewer, `share` validates and none is kept back, with the pictures
    of one group together; see `validation_split`, also for what it raises.
    """
    if len(names) >= MANY:
        return [hash_split(name) for name in names]
    _, val = validation_split(names, share, groups=groups)
    chosen = set(val)
    return ["val" if index in chosen else "train" for index in range(len(names))]


def read_split_file(split_file: str | os.PathLike[str], folder: Path) -> dict[str, str]:
    """The split of every picture of `folder` that the file names, by its path below the folder.

    The file is JSON, {folder name: {"train": [path below the folder's parent, …], "val": […], "test": […]}};
    'test' may be left out. Raises ValueError, one sentence, where it is something else or cannot be read.
    """
    try:
        with open(split_file, encoding="utf-8") as file:
            table = json.load(file)
    except json.JSONDecodeError as error:
        raise ValueError(f"{split_file} is not JSON: {error}.") from error
    except OSError as error:
        raise ValueError(f"{split_file} cannot be read: {error.strerror}.") from error
    members: dict[str, str] = {}
    for split in SPLITS:
        try:
            paths = table[folder.name][split]
        except (KeyError, TypeError) as error:
            if split == "test":
                continue
            raise ValueError(f"{split_file} has no entry '{folder.name}' with a '{split}' list.") from error
        prefix = folder.name + "/"
        members |= {path.removeprefix(prefix): split for path in paths if path.startswith(prefix)}
    return members


def hash_split(key: str) -> str:
    """'train', 'val' or 'test' for a path, the same on every machine.

    >>> [hash_split(f"monet/{i}.jpg") for i in range(6)]
    ['train', 'train', 'train', 'train', 'test', 'train']
    """
    bucket = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 100
    return "train" if bucket < 80 else "val" if bucket < 90 else "test"


def validation_split(
    keys: Sequence[str], share: float, seed: int = 0, groups: Sequence[Hashable] | None = None
) -> tuple[list[int], list[int]]:
    """Indices of the pictures to train on and of those to validate on, both in the order of `keys`.

    For the few pictures of one style, where `hash_split` may leave nothing to validate on.
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

    # Who belongs together.
    ids: Sequence[Hashable] = keys if groups is None else groups
    if len(ids) != len(keys):
        raise ValueError(f"There are {len(ids)} group ids for {len(keys)} pictures; give one each.")
    everyone = list(range(len(keys)))
    if share == 0 or len(keys) < 4:
        return everyone, []
    members: dict[Hashable, list[int]] = {}
    for index, id_ in enumerate(ids):
        members.setdefault(id_, []).append(index)

    def rank(group: list[int]) -> tuple[bytes, str]:
        # By one name of the group, not by the least hash of all: large groups would always come first.
        name = min(keys[i] for i in group)
        return hashlib.sha256(f"{seed}:{name}".encode()).digest(), name

    # Take whole groups in the drawn order as long as they fit.
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
