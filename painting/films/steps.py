"""How far a film is, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

LOOKING, PAINTING = "looking for cuts, frame", "frame"


@dataclass(frozen=True)
class FilmStep:
    """`step` of `steps` are done of what `what` says; seconds_left is a guess from the pace so far."""

    what: str
    step: int
    steps: int
    seconds_left: float


OnFilmStep = Callable[[FilmStep], None]


class StepCounter:
    """Counts the steps of one kind, and tells `on_step`; `steps` may grow while it counts."""

    def __init__(self, on_step: OnFilmStep, what: str, steps: int = 0):
        self._on_step, self._what, self.steps = on_step, what, steps
        self._began = time.monotonic()
        self._done = 0

    def done(self) -> None:
        """One more is done."""
        self._done += 1
        steps = max(self.steps, self._done)
        pace = (time.monotonic() - self._began) / self._done
        self._on_step(FilmStep(self._what, self._done, steps, pace * (steps - self._done)))
