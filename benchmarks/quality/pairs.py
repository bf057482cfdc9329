"""Pairs of a photo and a painting of the data, and smaller selections that stand for all of them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from brushwork.evaluation.pairs import pairs_in_step

T = TypeVar("T")


class Pair(NamedTuple):
    """Files of one photo and one painting."""

    content: Path
    style: Path


def read_split(data: Path, part: str = "test") -> tuple[list[Path], list[Path]]:
    """Photos and paintings that `data`/split.json lists under `part`: "test", or "val" to tune on.

    split.json: {"content": {"test": ["content/a.jpg", …]}, "style": {"test": […]}}, paths relative
    to `data`. Raises ValueError, one sentence, if that is not what is there.
    """
    path = data / "split.json"
    try:
        split = json.loads(path.read_text(encoding="utf-8"))
        contents, styles = ([data / name for name in split[kind][part]] for kind in ("content", "style"))
    except FileNotFoundError as error:
        raise ValueError(f"There is no {path}; give a folder of content/, style/, split.json.") from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} does not list the {part} split of content and style.") from error
    for file in (*contents, *styles):
        if not file.is_file():
            raise ValueError(f"{path} lists {file}, which is not there.")
    if not contents or not styles:
        raise ValueError(f"{path} lists {len(contents)} photos and {len(styles)} paintings in {part}.")
    return contents, styles


def shuffled_pairs(contents: Sequence[Path], styles: Sequence[Path], count: int, seed: int) -> list[Pair]:
    """`count` different pairs; no picture returns before all of its kind have been used.

    A seed draws the same pairs in any folder.

    Raises ValueError for a count outside 1..photos x paintings.
    """
    most = len(contents) * len(styles)
    if not 1 <= count <= most:
        raise ValueError(f"pairs is {count}; there are 1 to {most} pairs to draw.")
    return [Pair(*pair) for pair in pairs_in_step(_shuffled(contents, seed), _shuffled(styles, seed), count)]


def cross_pairs(
    contents: Sequence[Path], styles: Sequence[Path], content_count: int, style_count: int, seed: int
) -> list[Pair]:
    """Every one of `content_count` photos with every one of `style_count` paintings.

    Raises ValueError for counts outside 1..what there is.
    """
    for name, count, found in (
        ("contents", content_count, len(contents)),
        ("styles", style_count, len(styles)),
    ):
        if not 1 <= count <= found:
            raise ValueError(f"{name} is {count}; there are 1 to {found} to draw.")
    chosen_styles = _shuffled(styles, seed)[:style_count]
    return [Pair(c, s) for c in _shuffled(contents, seed)[:content_count] for s in chosen_styles]


def evenly(items: Sequence[T], count: int) -> list[T]:
    """`count` of `items` at even distances, all of them if there are no more.

    >>> evenly("abcdef", 3)
    ['a', 'c', 'e']
    """
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def balanced(pairs: Sequence[Pair], count: int) -> list[Pair]:
    """`count` of the pairs, in their order, with every painting and then every photo as often as any other.

    `evenly` does not work here: in a cross of 20 photos with 40 paintings it meets the same few paintings.

    >>> cross = [Pair(Path(c), Path(s)) for c in "ab" for s in "xyz"]
    >>> [pair.content.name + pair.style.name for pair in balanced(cross, 4)]
    ['ax', 'az', 'bx', 'by']
    """
    used: Counter[Path] = Counter()
    rest = list(enumerate(pairs))
    chosen = []
    for _ in range(min(count, len(rest))):
        found = min(rest, key=lambda item: (used[item[1].style], used[item[1].content], item[0]))
        rest.remove(found)
        chosen.append(found)
        used.update(found[1])
    return [pair for _, pair in sorted(chosen)]


def _shuffled(files: Sequence[Path], seed: int) -> list[Path]:
    """The same order for a seed in any folder, however split.json is sorted."""
    ordered = sorted(files, key=lambda file: file.name)
    random.Random(seed).shuffle(ordered)
    return ordered
