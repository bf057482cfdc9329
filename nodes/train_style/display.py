"""What a running training shows: text, bar and previews on its node, and lines in ComfyUI's log."""

from __future__ import annotations

import logging
import time

from PIL import Image

from ...base.duration import duration
from ..bridge import api
from ..bridge.progress import StepProgress, show_text

logger = logging.getLogger(__name__)

_LOG_SECONDS = 30


class NodeDisplay:
    """Shows a run on the node and in ComfyUI's log."""

    def __init__(self, progress: StepProgress, steps: int):
        self.progress, self.steps = progress, steps
        # The first step, which is slow, and its time.
        self._first: tuple[int, float] | None = None
        self._status = ""
        self._said = ""
        self._logged = time.monotonic()

    def say(self, text: str) -> None:
        """Show a message of the trainer; it stays under the node until the next one."""
        self._said = text
        logger.info("Brushwork: %s", text)
        show_text(self._text())

    def step(self, step: int, values: dict[str, float]) -> None:
        """After every step."""
        now = time.monotonic()
        self._first = self._first or (step, now)
        self._status = status(step, self.steps, self._rate(step, now), values["total"])
        self.progress.show(step, self._text())
        if now - self._logged > _LOG_SECONDS:
            self._logged = now
            logger.info("Brushwork: %s", self._status)

    def preview(self, step: int, picture: Image.Image) -> None:
        """Show a picture."""
        self.progress.show(step, self._text(), picture)

    def cancelled(self) -> bool:
        """Whether the user pressed cancel."""
        return self.progress.cancelled or api.is_interrupted()

    def _rate(self, step: int, now: float) -> float:
        """Steps a second since the first step; 0 if not known."""
        first, then = self._first or (step, now)
        return (step - first) / (now - then) if step > first and now > then else 0.0

    def _text(self) -> str:
        # Two spaces: pages with Nodes 2.0 read it as Markdown, which joins lines without them.
        return "  \n".join(text for text in (self._status, self._said) if text)


def status(step: int, steps: int, rate: float, loss: float) -> str:
    """How far, how fast, how long still, and how well.

    >>> status(120, 500, 1.3, 2.3456)
    'step 120 of 500, 1.3 steps/s, 4 min 52 s left, loss 2.346'
    """
    parts = [f"step {step} of {steps}"]
    if rate > 0:
        parts += [f"{rate:.1f} steps/s" if rate >= 1 else f"{1 / rate:.1f} s/step"]
        parts += [f"{duration((steps - step) / rate)} left"]
    return ", ".join([*parts, f"loss {loss:.4g}"])
