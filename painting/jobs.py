"""What is to be painted, the names of the results, and how a job ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..base.files import checked_folder, checked_path, distinct_names
from ..base.folders import real_path
from ..base.pairs import paired
from ..base.settings import check_type
from ..pictures.films import ending_for, is_film
from .styles import StyleSource


@dataclass(frozen=True)
class PaintJob:
    """One picture or film to paint, and the file for it; the ending decides the format.

    Raises ValueError, one sentence, for what is no path or no style.
    """

    photo: Path
    style: StyleSource
    target: Path

    def __post_init__(self) -> None:
        for name in ("photo", "target"):
            object.__setattr__(self, name, checked_path(getattr(self, name), name))
        check_type("style", self.style, StyleSource)


class PaintResult(Enum):
    """How a job ended."""

    PAINTED = "painted"
    SKIPPED = "skipped"
    """The file is there already, painted from the same files with the same settings."""
    OCCUPIED = "occupied"
    """The file is there already, and is something else."""
    FAILED = "failed"


@dataclass(frozen=True)
class PaintOutcome:
    """The outcome of a job. `sentence` says why it was not painted; empty if it was."""

    job: PaintJob
    result: PaintResult
    sentence: str = ""
    seconds: float = 0.0


def make_jobs(
    photos: Sequence[Path],
    styles: Sequence[StyleSource],
    folder: Path,
    ending: str = ".png",
    pairs: str = "cross",
) -> list[PaintJob]:
    """A job for each photo in each style ('cross'), or for each photo and the style beside it ('zip').

    Files are called PHOTO__STYLE; if two would have one name, they get a digest of the paths. Photos may be
    films, which have endings of their own (`ending_for`).
    Raises ValueError if 'zip' has not as many styles as photos, if a result would replace one of the pictures
    to read, and for arguments of another type.
    """
    check_type("ending", ending, str)
    folder = checked_folder(folder, "folder")
    for style in styles:
        check_type("style", style, StyleSource)
    couples = paired([checked_path(photo, "photo") for photo in photos], styles, pairs)
    # A photo and a film of one name, as phones take them together, have results of different endings.
    endings = [ending_for(photo) if is_film(photo) else ending for photo, _ in couples]
    names = distinct_names(
        [f"{photo.stem}__{style.name}" for photo, style in couples],
        [[photo, *style.files] for photo, style in couples],
        endings,
    )
    jobs = [
        PaintJob(photo, style, folder / f"{name}{end}")
        for name, end, (photo, style) in zip(names, endings, couples, strict=True)
    ]
    check_targets(jobs)
    return jobs


def check_targets(jobs: Sequence[PaintJob]) -> None:
    """Raise ValueError, one sentence, if a job would write over a file that one of them reads."""
    read = {real_path(path) for job in jobs for path in (job.photo, *job.style.files)}
    for job in jobs:
        if real_path(job.target) in read:
            raise ValueError(
                f"{job.target} is one of the pictures to read; choose another place for results."
            )
