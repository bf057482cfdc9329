"""Paints many files. Results that are there stay, and the outcome says why a job failed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from torch import Tensor

from ..base.files import distinct_names, file_digest, write_atomically
from ..base.settings import check_choice
from ..base.version import version
from ..models.large.maps import StorageError
from ..models.memory import is_out_of_memory
from ..pictures.large_files import vips
from ..pictures.metadata import PictureMetadata, check_size, encode_picture, read_settings, read_with_metadata
from ..pictures.reading import PictureError, opened_picture
from ..pictures.tensors import as_picture, as_tensor
from .large_files import is_large, paint_large_file
from .refine import OnStep, RefineError
from .styles import StyleSource, UnreadableError
from .stylizer import Stylizer

PAIRS = ("cross", "zip")

# The settings hold the version under this key, but another version does not count as another setting.
_VERSION = "brushwork"


@dataclass(frozen=True)
class PaintJob:
    """One picture to paint, and the file for it; the ending decides the format."""

    photo: Path
    style: StyleSource
    target: Path


class WriteError(RuntimeError):
    """A result cannot be written; the message is one sentence for the user."""


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

    Files are called PHOTO__STYLE; if two would have one name, they get a digest of the paths.
    Raises ValueError if 'zip' has not as many styles as photos, or if a result would replace one of the
    pictures to read.
    """
    check_choice("pairs", pairs, PAIRS)
    if pairs == "cross":
        couples = [(photo, style) for photo in photos for style in styles]
    elif len(photos) == len(styles):
        couples = list(zip(photos, styles, strict=True))
    else:
        raise ValueError(
            f"Pairs of one photo and one style need as many styles as photos, and there are {len(photos)} "
            f"photos and {len(styles)} styles; add or remove some."
        )
    names = distinct_names(
        [f"{photo.stem}__{style.name}" for photo, style in couples],
        [[photo, *style.files] for photo, style in couples],
    )
    jobs = [
        PaintJob(photo, style, folder / f"{name}{ending}")
        for name, (photo, style) in zip(names, couples, strict=True)
    ]
    check_targets(jobs)
    return jobs


def check_targets(jobs: Sequence[PaintJob]) -> None:
    """Raise ValueError, one sentence, if a job would write over a file that one of them reads."""
    read = {path.resolve() for job in jobs for path in (job.photo, *job.style.files)}
    for job in jobs:
        if job.target.resolve() in read:
            raise ValueError(
                f"{job.target} is one of the pictures to read; choose another place for results."
            )


def paint_files(
    jobs: Sequence[PaintJob],
    stylizer: Stylizer,
    overwrite: bool = False,
    on_start: Callable[[PaintJob], None] | None = None,
    on_step: OnStep | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Iterator[PaintOutcome]:
    """Paint one job after the other, and give the outcome of each.

    A file that is there already stays without `overwrite`, so that the same call goes on where it stopped.
    A file is written whole or not at all. It has the photo's colour profile and EXIF, and the settings.
    on_start is called before a job that is painted; on_step and on_note while refining. An error from them
    ends the painting.

    Raises WriteError if a file cannot be written, since the next one could not be written either.
    """
    # A photo is read once for all its styles; jobs of one photo stand together.
    for photo, group in itertools.groupby(jobs, key=lambda job: job.photo):
        reading = _Reading(photo)
        for job in group:
            began = time.monotonic()
            try:
                settings = _settings(job, reading, stylizer)
                if not overwrite and job.target.exists():
                    yield _left(job, settings)
                    continue
                if on_start:
                    on_start(job)
                data = _painted(job, reading, stylizer, settings, on_step, on_note)
            except (ValueError, RefineError, StorageError) as error:
                yield PaintOutcome(job, PaintResult.FAILED, str(error))
                continue
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                yield PaintOutcome(job, PaintResult.FAILED, _too_large(photo, stylizer))
                continue
            _write(job.target, data)
            yield PaintOutcome(job, PaintResult.PAINTED, seconds=time.monotonic() - began)
        # Before the next photo is read.
        del reading
        stylizer.forget_photo()


def _painted(
    job: PaintJob,
    reading: _Reading,
    stylizer: Stylizer,
    settings: dict[str, object],
    on_step: OnStep | None,
    on_note: Callable[[str], None] | None,
) -> bytes | None:
    """The bytes of the result; None where it has been written already, because it was too large for them."""
    if is_large(job.photo, stylizer):
        check_size(reading.header_size, job.target.suffix)
        _write(job.target, None)
        try:
            paint_large_file(job.photo, job.style, job.target, stylizer, settings, on_note)
        except OSError as error:
            raise _not_written(job.target, error) from error
        return None
    check_size(reading.size, job.target.suffix)
    # Before it takes minutes.
    _write(job.target, None)
    painted = stylizer.paint(reading.tensor, job.style, on_step, on_note)
    return encode_picture(as_picture(painted), job.target.suffix, reading.metadata, settings)


def _too_large(photo: Path, stylizer: Stylizer) -> str:
    remedy = "close other programs" if stylizer.device.type == "cpu" else "paint it on the CPU"
    install = (
        "" if vips() else "; or install what paints it from file to file: pip install 'brushwork[large]'"
    )
    return (
        f"{photo} does not fit into the memory of the device {stylizer.device}; scale it down, or "
        f"{remedy}{install}."
    )


def _write(target: Path, data: bytes | None) -> None:
    """Write a file; without data only make its folder."""
    try:
        if data is None:
            target.parent.mkdir(parents=True, exist_ok=True)
        else:
            write_atomically(target, data)
    except OSError as error:
        raise _not_written(target, error) from error


def _not_written(target: Path, error: OSError) -> WriteError:
    return WriteError(f"{target} cannot be written: {error.strerror}.")


class _Reading:
    """A photo that is read once, when it is needed; UnreadableError every time if it cannot be read."""

    def __init__(self, path: Path):
        self.path = path
        self._digest: str | None = None
        self._read: tuple[Tensor, PictureMetadata] | None = None
        self._error: UnreadableError | None = None

    @property
    def digest(self) -> str:
        if self._digest is None:
            try:
                self._digest = file_digest(self.path)
            except OSError as error:
                raise UnreadableError(f"{self.path} cannot be read: {error.strerror}.") from error
        return self._digest

    @property
    def tensor(self) -> Tensor:
        """[1,3,H,W] in 0..1, the same object every time."""
        return self._all()[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.tensor.shape[-2:]
        return width, height

    @property
    def header_size(self) -> tuple[int, int]:
        """Width and height as the file's header says, before the picture is turned."""
        with opened_picture(self.path) as image:
            return image.size

    @property
    def metadata(self) -> PictureMetadata:
        return self._all()[1]

    def _all(self) -> tuple[Tensor, PictureMetadata]:
        if self._error:
            raise self._error
        if self._read is None:
            try:
                picture, metadata = read_with_metadata(self.path)
                self._read = as_tensor(picture), metadata
            except PictureError as error:
                self._error = UnreadableError(str(error))
                raise self._error from error
        return self._read


def _settings(job: PaintJob, reading: _Reading, stylizer: Stylizer) -> dict[str, object]:
    """Everything that decides the picture, as JSON values; names of files without their folders."""
    try:
        style = job.style.record()
    except OSError as error:
        raise UnreadableError(f"{error.filename} cannot be read: {error.strerror}.") from error
    return {
        _VERSION: version(),
        "photo": {"file": job.photo.name, "sha256": reading.digest},
        "style": style,
        **stylizer.options.record(),
        "network": stylizer.network,
    }


def _left(job: PaintJob, settings: dict[str, object]) -> PaintOutcome:
    """The outcome for a file that is there: painted with the same settings, or something else."""
    found = read_settings(job.target)
    if found is not None and {**found, _VERSION: ""} == {**settings, _VERSION: ""}:
        return PaintOutcome(job, PaintResult.SKIPPED, f"{job.target} is there already.")
    return PaintOutcome(
        job,
        PaintResult.OCCUPIED,
        f"{job.target} is there already and was not painted from these files with these settings; overwrite "
        "it, or choose another place.",
    )
