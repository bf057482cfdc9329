"""The files that a run writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STATE_FILE = "state.safetensors"
LOG_FILE = "log.jsonl"
CHECKPOINT_FILE = "brushwork.safetensors"


@dataclass(frozen=True)
class RunFiles:
    """The files of a run. `folder` holds those that only the run needs: state, log, previews, sheets."""

    folder: Path
    best: Path
    """The network with the best validation score; not written if only a style is learned."""
    last: Path
    """The network of the last save."""
    style: Path
    """The learned style of the best score."""

    @classmethod
    def in_folder(cls, out: Path) -> RunFiles:
        """Everything in one folder."""
        return cls(out, out / CHECKPOINT_FILE, out / "last.safetensors", out / "style.safetensors")

    @property
    def state(self) -> Path:
        return self.folder / STATE_FILE

    @property
    def log(self) -> Path:
        return self.folder / LOG_FILE
