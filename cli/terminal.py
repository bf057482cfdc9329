"""What commands say on a terminal, and how Ctrl-C reaches them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


def say(console: Console, text: str) -> None:
    """Print `text` as it is: a path may hold what rich takes for markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """As a person says it.

    >>> [duration(s) for s in (8, 95, 4000, 200000)]
    ['8 s', '1 min 35 s', '1 h 06 min', '2 d 7 h']
    """
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"


@contextmanager
def stop_on_signals(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether Ctrl-C or SIGTERM has come; neither ends the process."""
    stopped = False

    def stop(signum: int, frame: object) -> None:
        nonlocal stopped
        if not stopped:
            say("stopping after this step, and saving")
        stopped = True

    handled = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, stop) for number in handled]
    try:
        yield lambda: stopped
    finally:
        for number, handler in zip(handled, previous, strict=True):
            signal.signal(number, handler)
