"""What has to be painted of a list of jobs: what is there is left out, and small photos are read."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..base.extras import installing
from ..models.memory import is_out_of_memory
from ..pictures.films import is_film
from ..pictures.large_files import vips
from ..pictures.metadata import check_size
from ..pictures.reading import PictureError
from .existing import left_as_it_is, settings_of
from .films.options import SteadyOptions
from .jobs import PaintJob, PaintOutcome, PaintResult
from .large_files import is_large
from .overlap import computed_ahead
from .photo_reading import PhotoReading
from .stylizer import Stylizer


class Kind(Enum):
    """How a job is painted. Films and large photos are read while they are painted."""

    PHOTO = "photo"
    LARGE_PHOTO = "large photo"
    FILM = "film"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A job that is to be painted. A small photo has been read."""

    job: PaintJob
    settings: dict[str, object]
    kind: Kind
    reading: PhotoReading


def prepare(
    jobs: Sequence[PaintJob], stylizer: Stylizer, overwrite: bool, steady: SteadyOptions, threads: int = 1
) -> Generator[Prepared | PaintOutcome, None, None]:
    """Each job that is to be painted, and the outcome of each that is not.

    With several threads, as many photos are read ahead.
    """
    # A photo is read once for all its styles; jobs of one photo stand together.
    groups = (list(group) for _, group in itertools.groupby(jobs, key=lambda job: job.photo))

    def of_photo(group: Sequence[PaintJob]) -> Generator[Prepared | PaintOutcome, None, None]:
        return _of_photo(group, stylizer, overwrite, steady)

    if threads == 1:
        for group in groups:
            yield from of_photo(group)
        return
    with closing(computed_ahead(lambda group: list(of_photo(group)), groups, threads)) as found:
        for items in found:
            yield from items
            # Before the next photo is read.
            del items


def _of_photo(
    jobs: Sequence[PaintJob], stylizer: Stylizer, overwrite: bool, steady: SteadyOptions
) -> Generator[Prepared | PaintOutcome, None, None]:
    """The same for the jobs of one photo."""
    photo = jobs[0].photo
    reading, film = PhotoReading(photo, stylizer.device.type == "cuda"), is_film(photo)
    for job in jobs:
        try:
            if job.target.is_dir():
                yield PaintOutcome(job, PaintResult.FAILED, _is_folder(job.target))
                continue
            settings = settings_of(job, reading, stylizer, steady if film else None)
            if not overwrite and job.target.exists():
                yield left_as_it_is(job, settings)
                continue
            kind = Kind.FILM if film else _kind_of_photo(photo, stylizer)
            if kind is not Kind.FILM:
                large = kind is Kind.LARGE_PHOTO
                check_size(reading.header_size if large else reading.size, job.target.suffix)
        except ValueError as error:
            yield PaintOutcome(job, PaintResult.FAILED, str(error))
            continue
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            yield PaintOutcome(job, PaintResult.FAILED, too_large(photo, stylizer))
            continue
        yield Prepared(job, settings, kind, reading)


def _kind_of_photo(photo: Path, stylizer: Stylizer) -> Kind:
    try:
        return Kind.LARGE_PHOTO if is_large(photo, stylizer) else Kind.PHOTO
    except PictureError:
        # Reading it tells what is wrong, once for all styles.
        return Kind.PHOTO


def too_large(photo: Path, stylizer: Stylizer) -> str:
    remedy = "close other programs" if stylizer.device.type == "cpu" else "paint it on the CPU"
    install = f"; or {installing('large', 'what paints it from file to file')}"
    if is_film(photo) or vips():
        install = ""
    return (
        f"{photo} does not fit into the memory of the device {stylizer.device}; scale it down, or "
        f"{remedy}{install or '.'}"
    )


def _is_folder(target: Path) -> str:
    return f"{target} is a folder, where a file is to be written; move it away, or choose another place."
