"""What commands say on a terminal, and how Ctrl-C reaches them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


def say(console: Console, text: str) -> None:
    """Print `text` as it is: a path may hold what rich takes for markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


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
