"""How far a film is, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# A film is gone through three times. Each pass counts its own frames.
LOOKING = "looking for cuts, frame"
MEASURING = "measuring light and contrast, frame"
PAINTING = "painting, frame"


@dataclass(frozen=True)
class FilmStep:
    """`step` of `steps` are done of what `what` says; seconds_left is a guess from the pace so far."""

    what: str
    step: int
    steps: int
    seconds_left: float


OnFilmStep = Callable[[FilmStep], None]


class StepCounter:
    """Counts the frames of one or more passes that go on together, and tells `on_step`.

    `frames` says how many each pass has, and `done` how many are done of it at the beginning. The seconds
    left are for all of the passes.
    """

    def __init__(self, on_step: OnFilmStep, frames: Mapping[str, int], done: Mapping[str, int] | None = None):
        self._on_step, self._frames = on_step, dict(frames)
        self._done = dict.fromkeys(frames, 0) | dict(done or {})
        self._before = sum(self._done.values())
        self._began = time.monotonic()

    def done(self, what: str) -> None:
        """One more frame of the pass `what` is done. There may be more of them than was said."""
        self._done[what] += 1
        self._frames[what] = max(self._frames[what], self._done[what])
        count = sum(self._done.values())
        pace = (time.monotonic() - self._began) / (count - self._before)
        left = pace * (sum(self._frames.values()) - count)
        self._on_step(FilmStep(what, self._done[what], self._frames[what], left))
