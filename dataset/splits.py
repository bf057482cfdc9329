"""Which pictures train, which validate and which wait for the final test. Nothing else decides it.

`assign_splits` is the rule for the node, the command, the report on a folder and the API.
"""

from __future__ import annotations

import hashlib
import math
import os
import unicodedata
from collections.abc import Hashable, Sequence
from numbers import Real
from pathlib import Path
from typing import cast

from ..base.counts import counted
from ..base.excerpt import value_excerpt
from ..base.text_files import read_json

SPLITS = ("train", "val", "test")

MANY = 100
"""With this many pictures or more, the hash of a picture's name decides its split."""

VALIDATION_SHARE = 0.15
"""The share of fewer pictures that validates, unless the user says otherwise."""


def assign_splits(
    names: Sequence[str], share: float = VALIDATION_SHARE, groups: Sequence[Hashable] | None = None
) -> list[str]:
    """'train', 'val' or 'test' for every picture.

    `names` are the pictures' paths below their folder, with forward slashes. With `MANY` pictures or more,
    80, 10 and 10 in 100 train, validate and wait for the final test, by the hash of the name: a picture then
    keeps its split when others come. With fewer, `share` of them validates, no picture waits for a final
    test, and the pictures of one group stay together; see `validation_split`, also for its errors.
    """
    if len(names) >= MANY:
        return [hash_split(name) for name in names]
    _, val = validation_split(names, share, groups=groups)
    chosen = set(val)
    return ["val" if index in chosen else "train" for index in range(len(names))]


class SplitTable:
    """The splits that a file names, by the pictures' paths below their folder."""

    def __init__(self) -> None:
        self._split_of: dict[str, str] = {}

    def add(self, name: str, split: str) -> None:
        """Put a picture into a split; of several, the last one counts."""
        # macOS and others store accents in different ways.
        self._split_of[unicodedata.normalize("NFC", name)] = split

    def splits(self, names: Sequence[str]) -> list[str]:
        """The split of each picture; empty for one that the file does not name."""
        return [self._split_of.get(unicodedata.normalize("NFC", name), "") for name in names]


class SplitFileError(ValueError):
    """A split file cannot be read or does not fit; the message is one sentence for the user."""


def read_split_file(split_file: str | os.PathLike[str], folder: Path) -> SplitTable:
    """The split of every picture of `folder` that the file lists, by its path below the folder.

    The file is JSON, {folder name: {"train": [path below the folder's parent, …], "val": […], "test": […]}};
    'test' may be left out. Raises SplitFileError where it is something else or cannot be read.
    """
    try:
        content = read_json(split_file)
    except ValueError as error:
        raise SplitFileError(str(error)) from error
    # "." and ".." are no names.
    name = os.path.basename(os.path.abspath(folder))
    lists = content.get(name) if isinstance(content, dict) else None
    table = SplitTable()
    prefix = name + "/"
    for split in SPLITS:
        paths = lists.get(split) if isinstance(lists, dict) else None
        if paths is None and split == "test":
            continue
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise SplitFileError(
                f"{split_file} has no entry '{name}' with a '{split}' list of paths; add it."
            )
        for path in paths:
            if path.startswith(prefix):
                table.add(path.removeprefix(prefix), split)
    return table


def hash_split(key: str) -> str:
    """'train', 'val' or 'test' for a path, the same on every machine.

    >>> [hash_split(f"monet/{i}.jpg") for i in range(6)]
    ['train', 'train', 'train', 'train', 'test', 'train']
    """
    bucket = int(hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:8], 16) % 100
    return "train" if bucket < 80 else "val" if bucket < 90 else "test"


def _is_share(value: object) -> bool:
    return isinstance(value, Real) and 0 <= cast(float, value) <= 0.5


def validation_split(
    keys: Sequence[str], share: float, seed: int = 0, groups: Sequence[Hashable] | None = None
) -> tuple[list[int], list[int]]:
    """Indices of the pictures to train on and of those to validate on, both in the order of `keys`.

    This is for the few pictures of one style, where `hash_split` may leave nothing to validate on.
    `keys` are the pictures' names; `share` is the share of all that validates, 0 to 0.5. Pictures of one
    group (ids in `groups`, one per key: near-duplicates) stay together. Without groups, equal keys do.

    SHA-256 of seed and name draws the pictures that validate. So the order of `keys` does not matter, and
    without groups, one more picture in the folder moves at most one of the others to the other side.
    With four pictures or more, at least one validates if `share` is more than 0, and never more than half.
    No picture validates if all are near-duplicates of each other, or if there are fewer than four.
    Raises ValueError for another share, or if there are not as many groups as keys.

    >>> validation_split(["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"], 0.2)
    ([1, 2, 3, 4], [0])
    """
    if not _is_share(share):
        raise ValueError(f"The validation share is {value_excerpt(share)}; give a number from 0 to 0.5.")

    # Which pictures belong together?
    ids: Sequence[Hashable] = keys if groups is None else groups
    if len(ids) != len(keys):
        found = f"{counted(len(ids), 'group id')} for {counted(len(keys), 'picture')}"
        raise ValueError(f"There are {found}; give one each.")
    everyone = list(range(len(keys)))
    if share == 0 or len(keys) < 4:
        return everyone, []
    members: dict[Hashable, list[int]] = {}
    for index, id_ in enumerate(ids):
        members.setdefault(id_, []).append(index)

    def rank(group: list[int]) -> tuple[bytes, str]:
        # One name stands for the group. The least hash of all names would always put large groups first.
        name = min(keys[i] for i in group)
        return hashlib.sha256(f"{seed}:{name}".encode(errors="surrogatepass")).digest(), name

    # Take whole groups in the drawn order as long as they fit.
    wanted = min(max(1, math.floor(share * len(keys) + 0.5)), len(keys) // 2)
    drawn = sorted(members.values(), key=rank)
    chosen: list[int] = []
    for group in drawn:
        if len(chosen) + len(group) <= wanted:
            chosen += group
    if not chosen:  # If every group is larger than that, take the smallest, unless it is more than half.
        chosen = min(drawn, key=len)
        chosen = chosen if len(chosen) <= len(keys) // 2 else []
    return sorted(set(everyone) - set(chosen)), sorted(chosen)
