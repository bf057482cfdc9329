"""Paints many files. Results that are there stay, and the outcome says why a job failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.files import file_behind, write_atomically
from ..base.system_errors import write_sentence
from ..base.temporary import make_folder
from ..models.large.maps import StorageError
from ..models.memory import is_out_of_memory
from ..pictures.metadata import encode_picture
from ..pictures.tensors import levels_of, picture_of
from .batches import FileThreads, Together, file_threads, neighbors
from .errors import RefineError, WriteError
from .films.options import SteadyOptions
from .films.steps import OnFilmStep
from .jobs import PaintJob, PaintOutcome, PaintResult, check_targets, make_jobs
from .large_files import paint_large_file
from .overlap import Behind, ahead
from .preparation import Kind, Prepared, prepare, too_large
from .stylizer import Stylizer

if TYPE_CHECKING:
    from .refine_step import OnStep

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
    ends the painting. `films` says how films are painted; if photos are refined, the jobs of films fail.

    Without refining, the next photo is decoded and the last painting is written while one is painted, so an
    outcome may come after the next job's start. Large photos go from file to file and are not decoded ahead.
    Where that is faster (`batches.py`), neighbouring photos of one size go through the network in one call,
    and several threads read and write.
    When the painting ends early, what was painted is written and given first.

    Raises WriteError if a file cannot be written, since the next one could not be written either.
    """
    # Refining takes minutes: there is nothing to gain, and an outcome should not wait for the next one.
    overlapped = stylizer.options.refine is None
    films = films or FilmWork()
    hands = file_threads(stylizer.device, stylizer.batch) if overlapped else FileThreads()
    prepared = prepare(jobs, stylizer, overwrite, films.steady, hands.reading)
    groups: Generator[list[Prepared | PaintOutcome], None, None] = neighbors(
        prepared, partial(_most_together, stylizer), _kind_and_size
    )
    if overlapped:
        groups = ahead(groups, 1)
    most = 2 * hands.writing - 1 if overlapped else 0
    with closing(prepared), closing(groups), Behind[PaintOutcome](most, hands.writing) as writing:
        photo: Path | None = None
        try:
            for group in groups:
                together = Together(stylizer, [each for each in group if isinstance(each, Prepared)], on_note)
                while group:
                    item = group.pop(0)
                    yield from writing.finished()
                    if isinstance(item, PaintOutcome):
                        yield from writing.all()
                        yield item
                        continue
                    if item.kind is Kind.LARGE_PHOTO:
                        # It needs the memory.
                        yield from writing.all()
                    if item.job.photo != photo:
                        # Before the next photo is painted.
                        stylizer.forget_photo()
                        photo = item.job.photo
                    if on_start:
                        on_start(item.job)
                    work = _paint(item, together, stylizer, films, on_step, on_note)
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


def _kind_and_size(item: Prepared | PaintOutcome) -> Hashable | None:
    """Photos of one size can be painted together. A film or a large photo is a kind of its own."""
    if isinstance(item, PaintOutcome):
        return None
    return item.reading.size if item.kind is Kind.PHOTO else item


def _most_together(stylizer: Stylizer, item: Prepared | PaintOutcome) -> int:
    if isinstance(item, PaintOutcome) or item.kind is not Kind.PHOTO:
        return 1
    width, height = item.reading.size
    return stylizer.most_together((height, width))


def _paint(
    item: Prepared,
    together: Together,
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
        if item.kind is not Kind.PHOTO:
            if item.kind is Kind.FILM:
                _paint_film(item, stylizer, films, on_note)
            else:
                _paint_large(item, stylizer, on_note)
            return PaintOutcome(job, PaintResult.PAINTED, seconds=time.monotonic() - began)
        painted, seconds = together.paint(item, on_step)
        # On a GPU, another thread waits for them and fetches them.
        levels = levels_of(painted)
        del painted
    except (ValueError, RefineError, StorageError) as error:
        return PaintOutcome(job, PaintResult.FAILED, str(error))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return PaintOutcome(job, PaintResult.FAILED, too_large(job.photo, stylizer))
    metadata = item.reading.metadata

    def write() -> PaintOutcome:
        began = time.monotonic()
        _write(job.target, encode_picture(picture_of(levels), job.target.suffix, metadata, item.settings))
        return PaintOutcome(job, PaintResult.PAINTED, seconds=seconds + time.monotonic() - began)

    return write


def _paint_film(
    item: Prepared, stylizer: Stylizer, films: FilmWork, on_note: Callable[[str], None] | None
) -> None:
    # PyAV is an extra.
    from .films.paint import paint_film
    from .films.painter import FilmPainter
    from .films.reading import Film, Frame

    code = stylizer.code(item.job.style)

    def painter(shots: Sequence[int], on_step: Callable[[str], None]) -> FilmPainter[Frame]:
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


def _paint_large(item: Prepared, stylizer: Stylizer, on_note: Callable[[str], None] | None) -> None:
    job = item.job
    try:
        paint_large_file(job.photo, job.style, job.target, stylizer, item.settings, on_note)
    except OSError as error:
        raise _not_written(job.target, error) from error


def _write(target: Path, data: bytes | None) -> None:
    """Write a file; without data only make its folder."""
    try:
        if data is None:
            make_folder(file_behind(target).parent)
        else:
            write_atomically(target, data)
    except OSError as error:
        raise _not_written(target, error) from error


def _not_written(target: Path, error: OSError) -> WriteError:
    return WriteError(write_sentence(target, error))
