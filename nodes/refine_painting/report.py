"""What Refine Painting shows while it works, and reports when it is done."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from typing import TYPE_CHECKING

from ...base.counts import counted
from ...base.duration import duration
from ...painting.refine_step import Step
from ..bridge import api
from ..bridge.progress import StepProgress, show_text
from .preview import RefinePreview

if TYPE_CHECKING:
    from .task import RefineTask

logger = logging.getLogger(__name__)

_SIZES = {"whole": "whole size", "half": "half", "quarter": "a quarter"}


class RefineReport:
    """What the user sees while pictures are refined, and reads when they are done."""

    def __init__(self, task: RefineTask):
        self.curve: list[float] = []
        """The total loss, as often as it was looked at."""
        self._task = task
        self._began = time.monotonic()
        self._bar: StepProgress | None = None
        self._index, self._picture_began = 0, self._began
        self._preview: RefinePreview | None = None
        self._steps: Counter[tuple[int, int]] = Counter()
        self._results: dict[int, str] = {}
        self._notes: list[str] = []
        self._kept = 0
        show_text("reading the paintings")

    def begin(self, i: int, preview: RefinePreview) -> None:
        """Refining picture i begins, perhaps once more because memory ran out."""
        if i == self._index:
            del self.curve[self._kept :]
        self._index, self._preview, self._kept = i, preview, len(self.curve)
        self._picture_began = time.monotonic()
        self._steps.clear()

    def skipped(self, i: int) -> None:
        """Picture i stays as it is."""
        self._results[i] = "its mask is black, so it stays as it was"

    def note(self, sentence: str) -> None:
        """What refining says, such as that memory ran out."""
        if sentence not in self._notes:
            self._notes.append(sentence)
            logger.info("Brushwork: %s", sentence)

    def step(self, step: Step) -> None:
        """After every step; ends the node if the user cancels."""
        api.check_interrupt()
        self._steps[step.size] += 1
        self._bar = self._bar or StepProgress(step.steps * self._task.count)
        done = self._index * step.steps + step.step
        # To ask for losses and pictures makes a GPU wait.
        if not self._bar.is_due(done) and step.step < step.steps:
            return
        losses = step.losses()
        if math.isfinite(losses["total"]):
            self.curve.append(losses["total"])
        self._results[self._index] = _closeness(losses)
        if step.step == step.steps:
            logger.info("Brushwork: picture %d: %s", self._index + 1, _losses_text(losses))
        picture = None if self._preview is None else self._preview.picture(step.picture())
        self._bar.show(done, self._status(step, losses["total"]), picture)
        if self._bar.cancelled:
            self._bar.cancel()

    def _status(self, step: Step, loss: float) -> str:
        seconds = step.seconds_left
        parts = []
        if self._task.count > 1:
            whole = time.monotonic() - self._picture_began + seconds
            seconds += whole * (self._task.count - 1 - self._index)
            parts.append(f"picture {self._index + 1} of {self._task.count}")
        parts += [f"step {step.step} of {step.steps} at {_pixels(step.size)}", f"{duration(seconds)} left"]
        return "\n".join([", ".join([*parts, f"loss {loss:.4g}"]), *self._notes])

    def text(self) -> str:
        """Size, quality, seconds, steps, how close each picture came, and what there was to note."""
        task = self._task
        pictures = f"{counted(task.count, 'picture')} of {_pixels(task.size)}"
        paintings = counted(len(task.paintings), "painting")
        lines = [
            f"{pictures}, {paintings}, quality {task.options.quality}, "
            f"{duration(time.monotonic() - self._began)}",
            *(f"{_pixels(size)}: {counted(steps, 'step')}" for size, steps in self._steps.items()),
        ]
        for i, result in sorted(self._results.items()):
            lines.append(f"picture {i + 1}: {result}." if task.count > 1 else _sentence(result))
        return "\n".join([*lines, *self._notes])


def plottable(losses: list[float]) -> list[float]:
    """`losses`, not all alike: core's Plot Loss Graph divides by their range."""
    if len(set(losses)) > 1:
        return losses
    last = losses[-1] if losses else 0.0
    return [math.nextafter(last, math.inf), last]


def _closeness(losses: dict[str, float]) -> str:
    """How far the picture is from the paintings' strokes, and from what the photo shows."""
    if "nearest" in losses:
        return f"distance to the paintings' strokes {losses['nearest']:.3f}"
    at_sizes = [
        f"{losses[f'gram_{size}']:.3f} at {words}"
        for size, words in _SIZES.items()
        if f"gram_{size}" in losses
    ]
    return f"style loss {', '.join(at_sizes)}; content loss {losses['content']:.3f}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _losses_text(losses: dict[str, float]) -> str:
    rest = ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}" for name, value in losses.items() if name != "total"
    )
    return f"loss {losses['total']:.4g} ({rest})"


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]}"
