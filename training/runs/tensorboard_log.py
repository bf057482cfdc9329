"""A run's log as TensorBoard shows it: losses, rate, validation scores, previews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ...base.extras import installing
from ..trainer import TrainingError
from .run import Run

FOLDER = "tensorboard"


def require_tensorboard() -> None:
    """Raise TrainingError, one sentence, if the package is missing."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"TensorBoard logs need the package tensorboard; {installing('train')}"
        ) from error


class TensorBoardLog:
    """Writes what is new in a run's log and scores each time `follow` is called.

    A resumed run goes on in the same curves. Lines of an earlier run after the step of the resume are
    hidden. If there are no earlier logs, the whole log of the run is written.
    """

    def __init__(self, run: Run):
        """Begin a file in the folder 'tensorboard' of the run. Raises TrainingError, one sentence."""
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        self.run = run
        folder: Path = run.files.folder / FOLDER
        known = any(folder.glob("events.*"))
        self._lines = len(run.log.lines) if known else 0
        self._scores = len(run.progress.scores) if known else 0
        self._writer = SummaryWriter(str(folder), purge_step=run.trainer.step + 1 if known else None)

    def follow(self) -> None:
        """Write the lines and the scores that have come since the last call."""
        lines, scores = self.run.log.lines[self._lines :], self.run.progress.scores[self._scores :]
        if not lines and not scores:
            return
        for group, entries in (("training", lines), ("validation", scores)):
            for entry in entries:
                for name, value in entry.items():
                    if name != "step":
                        self._writer.add_scalar(f"{group}/{name}", value, int(entry["step"]))
        self._lines += len(lines)
        self._scores += len(scores)
        self._writer.flush()

    def add_preview(self, step: int, preview: Image.Image) -> None:
        """Show the picture of this step."""
        self._writer.add_image("preview", np.asarray(preview), step, dataformats="HWC")
        self._writer.flush()

    def close(self) -> None:
        """Write the rest."""
        self.follow()
        self._writer.close()
