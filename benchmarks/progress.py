"""The progress of a long measurement, on one line of the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def progress(items: Sequence[T], label: str) -> Iterator[T]:
    """The items, with a line on the error stream about how many are done and how long the rest will take."""
    total = len(items)
    start = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        left = (time.monotonic() - start) / done * (total - done)
        print(f"\r{label}: {done} of {total}, {left:.0f} s to go   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
