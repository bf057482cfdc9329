"""How far painting is: bars where rich is installed, else plain text."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from ...base.duration import duration
from ...base.text_files import one_line
from ..terminal import bar_columns, complain, cut_to_columns, tell

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Seconds between two updates of a line of text.
_INTERVAL = 0.1


class PaintDisplay:
    """Progress on standard error, where that is a terminal: one line of text, written over and over.

    What is printed with `say` and `complain` stays, on standard output and standard error.
    """

    def __init__(self, pictures: int, clock: Callable[[], float] = time.monotonic):
        self.pictures = pictures
        self.done, self.painted = 0, 0
        self._clock = clock
        self._name, self._step, self._number = "", "", 0
        self._seconds, self._began, self._last = 0.0, 0.0, 0.0
        self._shown = 0
        self._live = sys.stderr.isatty()

    def __enter__(self) -> PaintDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def start(self, name: str, number: int | None = None) -> None:
        """The next picture begins. `number` counts from 1; without it, all before this one are done."""
        self._name, self._step = name, ""
        self._number = self.done + 1 if number is None else number
        self._began = self._clock()
        self._show()

    def step(self, step: int, steps: int, seconds_left: float, what: str = "step") -> None:
        """`step` of `steps` of the present picture are done; `what` they are."""
        now = self._clock()
        if now - self._last >= _INTERVAL or step == steps:
            self._last = now
            self._step = f", {what} {step} of {steps}, {duration(seconds_left)} left"
            self._show(seconds_left)

    def finish(self, painted: bool, seconds: float | None = None) -> None:
        """A picture is done, or was not to be painted.

        Without `seconds` it took the time since its start; the next one may have begun already.
        """
        self.done += 1
        if painted:
            self.painted += 1
            self._seconds += self._clock() - self._began if seconds is None else seconds
        if self.done >= self._number:
            self._name = ""

    def say(self, text: str) -> None:
        self._clear()
        tell(text)

    def complain(self, text: str) -> None:
        self._clear()
        complain(text)

    def seconds_left(self, of_this: float | None = None) -> float | None:
        """For all pictures, at the pace of those that are painted; None while nobody knows."""
        others = self.pictures - self._number
        if self.painted:
            pace = self._seconds / self.painted
        elif of_this is not None:
            pace = self._clock() - self._began + of_this
        else:
            return None
        return pace * others + (pace if of_this is None else of_this)

    def _show(self, of_this: float | None = None) -> None:
        left = self.seconds_left(of_this)
        every = f"; {duration(left)} left for all" if left is not None and self.pictures > 1 else ""
        self._write(f"{self._number} of {self.pictures}: {self._name}{self._step}{every}")

    def _write(self, text: str) -> None:
        if self._live:
            # A line that wraps cannot be written over.
            text, columns = cut_to_columns(one_line(text), shutil.get_terminal_size().columns - 1)
            print("\r" + text + " " * (self._shown - columns), end="", file=sys.stderr, flush=True)
            self._shown = columns

    def _clear(self) -> None:
        if self._live and self._shown:
            print("\r" + " " * self._shown + "\r", end="", file=sys.stderr, flush=True)
            self._shown = 0


class PaintBars(PaintDisplay):
    """The same as two bars of rich: all pictures, and the steps of the present one."""

    def __init__(self, pictures: int):
        super().__init__(pictures)
        from rich.console import Console
        from rich.progress import Progress, TimeRemainingColumn

        # What goes to a pipe goes there as it is.
        self._bars: Progress = Progress(
            *bar_columns(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not self._live,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._all: TaskID = self._bars.add_task("pictures", total=pictures)
        self._steps: TaskID | None = None

    def __enter__(self) -> PaintDisplay:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, name: str, number: int | None = None) -> None:
        super().start(name, number)
        self._bars.update(self._all, description=one_line(name))

    def step(self, step: int, steps: int, seconds_left: float, what: str = "step") -> None:
        if self._steps is None:
            self._steps = self._bars.add_task("steps", total=steps)
        description = "steps" if what == "step" else what
        self._bars.update(self._steps, completed=step, total=steps, description=description)

    def finish(self, painted: bool, seconds: float | None = None) -> None:
        super().finish(painted, seconds)
        self._bars.update(self._all, completed=self.done)
        if self._steps is not None:
            self._bars.remove_task(self._steps)
            self._steps = None

    def _write(self, text: str) -> None:
        """Bars show it."""


def open_display(pictures: int) -> PaintDisplay:
    """With bars on a terminal if rich is installed."""
    if not sys.stderr.isatty():
        return PaintDisplay(pictures)
    try:
        return PaintBars(pictures)
    except ImportError:
        return PaintDisplay(pictures)
