"""Output of commands on a terminal, and how Ctrl-C and other signals to end reach them."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO, cast

from ..base.text_files import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn

# What Brushwork's own texts become where the terminal or file has no such characters.
_PLAIN = {"…": "...", "↓": "v", "↑": "^", "×": "x", "–": "-", "—": "-", "•": "*", "·": ".", "≥": ">="}
_PLAINLY = "brushwork.plainly"


def say(console: Console, text: str) -> None:
    """Print `text` as it is: a path may hold characters that rich reads as markup."""
    console.print(one_line(text, keep="\n\t"), markup=False, highlight=False, soft_wrap=True)


def tell(text: str) -> None:
    """Print a line on standard output: one line, whatever names are in it."""
    print(one_line(text), flush=True)


def cut_to_columns(text: str, most: int) -> tuple[str, int]:
    """The part of `text` that fits into `most` columns of a terminal, and how many it takes.

    Chinese, Japanese and Korean letters take two columns, and marks on other letters none.

    >>> cut_to_columns("海.png", 4)
    ('海.p', 4)
    """
    columns = 0
    for i, letter in enumerate(text):
        wide = unicodedata.east_asian_width(letter) in "WF"
        width = 0 if unicodedata.combining(letter) else 2 if wide else 1
        if columns + width > most:
            return text[:i], columns
        columns += width
    return text, columns


def complain(text: str) -> None:
    """Print a line on standard error: one line, whatever names are in it."""
    print(one_line(text), file=sys.stderr, flush=True)


class UnfailingStream:
    """A text stream on which writing never fails.

    A character that the stream's encoding lacks becomes a plain one or an escape. What can no longer be
    written, since the reader of a pipe has gone or a disk is full, is dropped.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding or "ascii"
            self.write(text.encode(encoding, _PLAINLY).decode(encoding))
        except (OSError, ValueError):
            self._drop_all()
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._drop_all()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # what streams have
        return getattr(self._stream, name)

    def _drop_all(self) -> None:
        """Send everything nowhere, also what Python writes when it ends."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    plain = [_PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode() for each in found]
    return "".join(plain), error.end


@contextmanager
def unfailing_output() -> Iterator[None]:
    """Within this context printing never fails, whatever standard output and standard error are."""
    codecs.register_error(_PLAINLY, _plainly)
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        # Windows programs without a console have no streams.
        out, err = (UnfailingStream(stream or nowhere) for stream in before)
        sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
        try:
            yield
        finally:
            out.flush()
            err.flush()
            sys.stdout, sys.stderr = before


def bar_columns() -> tuple[ProgressColumn, ...]:
    """A bar of rich: what is done, the bar, and how many of how many. A column of the time may follow."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    return TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function that shows how many are done, out of how many.

    The bar appears on standard error, and only on a terminal. Standard output is for the command's results.
    """
    from rich.console import Console
    from rich.progress import Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (*bar_columns(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show


# What asks a program to end: Ctrl-C, `kill` and a shutdown, a terminal that closes.
_ENDINGS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def endings_as_ctrl_c() -> Iterator[None]:
    """Within this context SIGTERM, and SIGHUP when a terminal closes, raise KeyboardInterrupt like Ctrl-C.

    Otherwise they would end the process at once: nothing would be said, and temporary files would stay. An
    answer that the program or `nohup` has chosen stays.
    """
    changed = []
    if threading.current_thread() is threading.main_thread():
        changed = [each for each in _ENDINGS if signal.getsignal(each) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def on_endings(answer: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Within this context `answer` is called when a signal asks the process to end, and it goes on.

    Only the main thread gets signals; in another one nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # nohup lets a process ignore that its terminal closes.
    handled = [each for each in _ENDINGS if each == signal.SIGINT or signal.getsignal(each) != signal.SIG_IGN]
    previous = [signal.signal(number, answer) for number in handled]
    try:
        yield
    finally:
        for number, handler in zip(handled, previous, strict=True):
            signal.signal(number, handler)


@contextmanager
def stop_on_signals(on_first: Callable[[], object] = lambda: None) -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether Ctrl-C, SIGTERM or SIGHUP has come; none ends the process.

    `on_first` is called when the first of them comes.
    """
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if not stopped:
            on_first()
        stopped = True

    with on_endings(stop):
        yield lambda: stopped
