"""The files that a run writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...base.system_errors import check_file_or_free

STATE_FILE = "state.safetensors"
LOG_FILE = "log.jsonl"
CHECKPOINT_FILE = "brushwork.safetensors"
LOCK_FILE = "run.lock"
RECIPE_FILE = "recipe.json"
# With the number of the step.
PREVIEW_FILE = "preview_{:06d}.jpg"
SHEET_FILE = "sheet_{:06d}.jpg"


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

    def check(self) -> None:
        """Raise NoFileError if a folder or a pipe has the name of one of the files."""
        named = [self.folder / name for name in (LOCK_FILE, STATE_FILE, LOG_FILE, RECIPE_FILE)]
        pictures = [*self.folder.glob("preview_*.jpg"), *self.folder.glob("sheet_*.jpg")]
        for path in (*named, self.best, self.last, self.style, *sorted(pictures)):
            check_file_or_free(path)
