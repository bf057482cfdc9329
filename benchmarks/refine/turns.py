"""Optimisations that take turns on the processor, so that a busy minute of the machine hits all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from brushwork.pictures.tensors import rounded

Scores = dict[str, float]

# Gives the picture so far, [1,3,H,W] in 0..1.
PictureSoFar = Callable[[], Tensor]


class Watch(Protocol):
    """Who watches an optimisation."""

    def begin(self) -> None:
        """Work begins now; what came before, such as loading a network, does not count."""
        ...

    def __call__(self, picture: PictureSoFar) -> None:
        """To be called after every step."""
        ...


@dataclass(frozen=True, eq=False)
class Point:
    """A picture on the way: seconds of work until then, its number from 0, scores, 8-bit levels [3,H,W]."""

    seconds: float
    number: int
    scores: Scores
    levels: Tensor


@dataclass
class Trajectory:
    """What an optimisation had after some of its steps, the last one included."""

    points: list[Point] = field(default_factory=list)

    @property
    def end(self) -> Point:
        return self.points[-1]

    def after(self, seconds: float) -> Point:
        """The first point with this many seconds of work or more, else the end."""
        return next((point for point in self.points if point.seconds >= seconds), self.end)

    def seconds_to(self, name: str, value: float) -> float | None:
        """Seconds until the score `name` was first at most `value`; None if it never was."""
        return next((point.seconds for point in self.points if point.scores[name] <= value), None)


class Turn:
    """One optimisation in a thread of its own, which works only while `take` waits for it.

    work: hands every picture to what it is given. Looking at pictures does not count as work. The first
    picture is scored, then one of `every`, and the last.
    """

    def __init__(
        self,
        work: Callable[[Watch], None],
        score: Callable[[Tensor], Scores],
        every: int,
        slice_seconds: float,
        threads: int,
    ):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.trajectory = Trajectory()
        self.ended = False
        self._work, self._score, self._every = work, score, every
        self._slice, self._threads = slice_seconds, threads
        self._go, self._back = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._seconds = self._began = self._slice_began = 0.0
        self._pictures = 0
        self._last: PictureSoFar | None = None

    def take(self) -> None:
        """Let it work for a slice of time. Raises what it raised."""
        self._back.clear()
        self._go.set()
        if not self._thread.is_alive():
            self._thread.start()
        self._back.wait()
        if self._error:
            raise self._error

    def _run(self) -> None:
        self._wait()
        # PyTorch counts threads for each thread that calls it.
        torch.set_num_threads(self._threads)
        try:
            self.begin()
            self._work(self)
            if self._last is not None and self.trajectory.end.number < self._pictures - 1:
                self._look(self._last, self._pictures - 1)
        except BaseException as error:
            self._error = error
        self.ended = True
        self._back.set()

    def __call__(self, picture: PictureSoFar) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self._seconds += time.perf_counter() - self._began
        self._last = picture
        if self._pictures % self._every == 0:
            self._look(picture, self._pictures)
        self._pictures += 1
        if time.perf_counter() - self._slice_began >= self._slice:
            self._back.set()
            self._wait()
        self.begin()

    def _look(self, picture: PictureSoFar, number: int) -> None:
        with torch.no_grad():
            seen = rounded(picture().detach())
            levels = (seen[0] * 255).round().to("cpu", torch.uint8)
            self.trajectory.points.append(Point(self._seconds, number, self._score(seen), levels))

    def _wait(self) -> None:
        self._go.wait()
        self._go.clear()
        self._slice_began = time.perf_counter()

    def begin(self) -> None:
        self._began = time.perf_counter()


def take_turns(turns: Sequence[Turn]) -> None:
    """Run all of them to their ends, a slice each in turn."""
    while waiting := [turn for turn in turns if not turn.ended]:
        for turn in waiting:
            turn.take()
