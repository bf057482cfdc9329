"""Results that are there already: which files and settings they were painted from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..base.extras import installing, is_installed
from ..base.system_errors import unreadable
from ..base.version import version
from ..pictures.films import is_film
from ..pictures.metadata import read_settings
from .errors import FilmError
from .films.options import SteadyOptions
from .films.unfinished import remove_unfinished
from .jobs import PaintJob, PaintOutcome, PaintResult
from .photo_reading import PhotoReading
from .styles import UnreadableError
from .stylizer import Stylizer

# The settings hold the version under this key, but another version does not count as another setting.
_VERSION = "brushwork"


def what_is_there(job: PaintJob, stylizer: Stylizer, steady: SteadyOptions) -> PaintOutcome | None:
    """The outcome of a job whose file is there already, without painting; None if it is not there."""
    if not job.target.exists():
        return None
    try:
        settings = settings_of(job, PhotoReading(job.photo), stylizer, steady if is_film(job.photo) else None)
    except ValueError as error:
        return PaintOutcome(job, PaintResult.FAILED, str(error))
    return left_as_it_is(job, settings)


def settings_of(
    job: PaintJob, reading: PhotoReading, stylizer: Stylizer, steady: SteadyOptions | None
) -> dict[str, object]:
    """Everything that decides the picture, as JSON values; names of files without their folders.

    Raises UnreadableError for a style that cannot be read, FilmError for a film that is to be refined, or
    where PyAV is missing.
    """
    if is_film(job.photo):
        if stylizer.options.refine is not None:
            raise FilmError(f"{job.photo} is a film, and only photos are refined; paint it without refining.")
        if not is_installed("av"):
            install = installing("video", "what films need")
            raise FilmError(f"{job.photo} is a film, and av is missing; {install}")
    try:
        style = job.style.record()
    except OSError as error:
        raise UnreadableError(unreadable(error.filename, error.strerror)) from error
    settings = {
        _VERSION: version(),
        "film" if steady else "photo": {"file": job.photo.name, "sha256": reading.digest},
        "style": style,
        **stylizer.options.record(),
        **(asdict(steady) if steady else {}),
        "network": stylizer.network,
    }
    # NumPy's numbers are as good as Python's, and JSON does not know them.
    plain: dict[str, object] = json.loads(json.dumps(settings, default=lambda number: number.item()))
    return plain


def left_as_it_is(job: PaintJob, settings: dict[str, object]) -> PaintOutcome:
    """The outcome for a file that is there: painted with the same settings, or something else.

    What a process that was killed at the end of a film left beside it goes away.
    """
    found = _film_settings(job.target) if is_film(job.photo) else read_settings(job.target)
    if found is not None and {**found, _VERSION: ""} == {**settings, _VERSION: ""}:
        if is_film(job.photo):
            remove_unfinished(job.target)
        return PaintOutcome(job, PaintResult.SKIPPED, f"{job.target} is there already.")
    return PaintOutcome(
        job,
        PaintResult.OCCUPIED,
        f"{job.target} is there already and was not painted from these files with these settings; overwrite "
        "it, or choose another place.",
    )


def _film_settings(target: Path) -> dict[str, Any] | None:
    # PyAV is an extra.
    from .films.joining import read_film_settings

    return read_film_settings(target)
