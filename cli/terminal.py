"""Output of commands on a terminal, and how Ctrl-C reaches them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def say(console: Console, text: str) -> None:
    """Print `text` as it is: a path may hold characters that rich reads as markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_line(text: str) -> None:
    """Print `text` on standard output at once, and never fail.

    Letters that the encoding of the output lacks become escapes: cp1252 has few, and a file name that is not
    UTF-8 has some that nothing has. When nobody reads any more (`| head`), the rest is not printed.
    """
    try:
        try:
            print(text, flush=True)
        except UnicodeEncodeError as error:
            print(text.encode(error.encoding, "backslashreplace").decode(error.encoding), flush=True)
    except BrokenPipeError:
        # Python flushes standard output once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function that shows how many are done, out of how many.

    The bar appears on standard error, and only on a terminal. Standard output is for the command's results.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show


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
