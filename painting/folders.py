"""Paints many files. Results that are there stay, and the outcome says why a job failed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.files import write_atomically
from ..base.temporary import make_folder
from ..models.large.maps import StorageError
from ..models.memory import is_out_of_memory
from ..pictures.films import is_film
from ..pictures.large_files import vips
from ..pictures.metadata import check_size, encode_picture
from ..pictures.reading import PictureError
from ..pictures.tensors import as_picture
from .errors import RefineError, WriteError
from .existing import left_as_it_is, settings_of
from .films.options import SteadyOptions
from .films.steps import OnFilmStep
from .jobs import PaintJob, PaintOutcome, PaintResult, check_targets, make_jobs
from .large_files import is_large, paint_large_file
from .overlap import Behind, ahead
from .photo_reading import PhotoReading
from .stylizer import Stylizer

if TYPE_CHECKING:
    from .refine import OnStep

__all__ = [
    "FilmWork",
    "PaintJob",
    "PaintOutcome",
    "PaintResult",
    "WriteError",
    "check_targets",
    "make_jobs",
    "paint_files",
]

# Paintings that wait to be written.
_BEHIND = 1


@dataclass(frozen=True)
class FilmWork:
    """How films are painted, and what is called after each step."""

    steady: SteadyOptions = field(default_factory=SteadyOptions)
    on_step: OnFilmStep = lambda step: None


def paint_files(
    jobs: Sequence[PaintJob],
    stylizer: Stylizer,
    overwrite: bool = False,
    on_start: Callable[[PaintJob], None] | None = None,
    on_step: OnStep | None = None,
    on_note: Callable[[str], None] | None = None,
    films: FilmWork | None = None,
) -> Generator[PaintOutcome, None, None]:
    """Paint one job after the other, and give the outcome of each.

    A file that is there already stays without `overwrite`, so that the same call goes on where it stopped.
    A file is written whole or not at all. It has the photo's colour profile and EXIF, and the settings.
    on_start is called before a job that is painted; on_step and on_note while refining. An error from them
    ends the painting. `films` says how films are painted, which are not refined.

    Without refining, the next photo is decoded and the last painting is written while one is painted, so an
    outcome may come after the next job's start. Large photos go from file to file and are not decoded ahead.
    When the painting ends early, what was painted is written and given first.

    Raises WriteError if a file cannot be written, since the next one could not be written either.
    """
    # Refining takes minutes: there is nothing to gain, and an outcome should not wait for the next one.
    overlapped = stylizer.options.refine is None
    films = films or FilmWork()
    prepared = _prepare(jobs, stylizer, overwrite, films.steady)
    if overlapped:
        prepared = ahead(prepared, 1)
    with closing(prepared), Behind[PaintOutcome](_BEHIND if overlapped else 0) as writing:
        photo: Path | None = None
        try:
            for item in prepared:
                yield from writing.finished()
                if isinstance(item, PaintOutcome):
                    yield from writing.all()
                    yield item
                    continue
                if item.kind is _Kind.LARGE_PHOTO:
                    # It needs the memory.
                    yield from writing.all()
                if item.job.photo != photo:
                    # Before the next photo is painted.
                    stylizer.forget_photo()
                    photo = item.job.photo
                if on_start:
                    on_start(item.job)
                work = _paint(item, stylizer, films, on_step, on_note)
                if isinstance(work, PaintOutcome):
                    yield from writing.all()
                    yield work
                else:
                    yield from writing.add(work)
                del item, work
        except GeneratorExit:
            raise
        except BaseException:
            yield from writing.all()
            raise
        yield from writing.all()
    stylizer.forget_photo()


class _Kind(Enum):
    """How a job is painted. Films and large photos are read while they are painted."""

    PHOTO = "photo"
    LARGE_PHOTO = "large photo"
    FILM = "film"


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A job that is to be painted. A small photo has been read."""

    job: PaintJob
    settings: dict[str, object]
    kind: _Kind
    reading: PhotoReading


def _prepare(
    jobs: Sequence[PaintJob], stylizer: Stylizer, overwrite: bool, steady: SteadyOptions
) -> Generator[_Prepared | PaintOutcome, None, None]:
    """Each job that is to be painted, and the outcome of each that is not."""
    # A photo is read once for all its styles; jobs of one photo stand together.
    for photo, group in itertools.groupby(jobs, key=lambda job: job.photo):
        reading, film = PhotoReading(photo), is_film(photo)
        for job in group:
            try:
                if job.target.is_dir():
                    yield PaintOutcome(job, PaintResult.FAILED, _is_folder(job.target))
                    continue
                settings = settings_of(job, reading, stylizer, steady if film else None)
                if not overwrite and job.target.exists():
                    yield left_as_it_is(job, settings)
                    continue
                kind = _Kind.FILM if film else _kind_of_photo(photo, stylizer)
                if kind is not _Kind.FILM:
                    large = kind is _Kind.LARGE_PHOTO
                    check_size(reading.header_size if large else reading.size, job.target.suffix)
            except ValueError as error:
                yield PaintOutcome(job, PaintResult.FAILED, str(error))
                continue
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                yield PaintOutcome(job, PaintResult.FAILED, _too_large(photo, stylizer))
                continue
            yield _Prepared(job, settings, kind, reading)
        # Before the next photo is read.
        del reading


def _kind_of_photo(photo: Path, stylizer: Stylizer) -> _Kind:
    try:
        return _Kind.LARGE_PHOTO if is_large(photo, stylizer) else _Kind.PHOTO
    except PictureError:
        # Reading it tells what is wrong, once for all styles.
        return _Kind.PHOTO


def _paint(
    item: _Prepared,
    stylizer: Stylizer,
    films: FilmWork,
    on_step: OnStep | None,
    on_note: Callable[[str], None] | None,
) -> PaintOutcome | Callable[[], PaintOutcome]:
    """What writes the painting, or the outcome if there is nothing to write any more."""
    job, began = item.job, time.monotonic()
    try:
        # Before it takes minutes.
        _write(job.target, None)
        if item.kind is not _Kind.PHOTO:
            if item.kind is _Kind.FILM:
                _paint_film(item, stylizer, films, on_note)
            else:
                _paint_large(item, stylizer, on_note)
            return PaintOutcome(job, PaintResult.PAINTED, seconds=time.monotonic() - began)
        painted = as_picture(stylizer.paint(item.reading.tensor, job.style, on_step, on_note))
    except (ValueError, RefineError, StorageError) as error:
        return PaintOutcome(job, PaintResult.FAILED, str(error))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return PaintOutcome(job, PaintResult.FAILED, _too_large(job.photo, stylizer))
    metadata, seconds = item.reading.metadata, time.monotonic() - began

    def write() -> PaintOutcome:
        began = time.monotonic()
        _write(job.target, encode_picture(painted, job.target.suffix, metadata, item.settings))
        return PaintOutcome(job, PaintResult.PAINTED, seconds=seconds + time.monotonic() - began)

    return write


def _paint_film(
    item: _Prepared, stylizer: Stylizer, films: FilmWork, on_note: Callable[[str], None] | None
) -> None:
    # PyAV is an extra.
    from .films.paint import paint_film
    from .films.painter import FilmPainter
    from .films.reading import Film, Frame

    code = stylizer.code(item.job.style)

    def painter(shots: Sequence[int], on_step: Callable[[], None]) -> FilmPainter[Frame]:
        gan, options = stylizer.gan, stylizer.options
        return FilmPainter(gan, shots, lambda number: (code, ()), options, films.steady, on_step=on_step)

    paint_film(
        Film(item.job.photo),
        item.job.target,
        painter,
        item.settings,
        on_step=films.on_step,
        on_note=on_note or (lambda note: None),
    )


def _paint_large(item: _Prepared, stylizer: Stylizer, on_note: Callable[[str], None] | None) -> None:
    job = item.job
    try:
        paint_large_file(job.photo, job.style, job.target, stylizer, item.settings, on_note)
    except OSError as error:
        raise _not_written(job.target, error) from error


def _too_large(photo: Path, stylizer: Stylizer) -> str:
    remedy = "close other programs" if stylizer.device.type == "cpu" else "paint it on the CPU"
    install = "; or install what paints it from file to file: pip install 'brushwork[large]'"
    if is_film(photo) or vips():
        install = ""
    return (
        f"{photo} does not fit into the memory of the device {stylizer.device}; scale it down, or "
        f"{remedy}{install}."
    )


def _is_folder(target: Path) -> str:
    return f"{target} is a folder, where a file is to be written; move it away, or choose another place."


def _write(target: Path, data: bytes | None) -> None:
    """Write a file; without data only make its folder."""
    try:
        if data is None:
            make_folder(target.parent)
        else:
            write_atomically(target, data)
    except OSError as error:
        raise _not_written(target, error) from error


def _not_written(target: Path, error: OSError) -> WriteError:
    return WriteError(f"{target} cannot be written: {error.strerror}.")
