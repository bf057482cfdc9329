"""From what the user names to what is painted: photos, styles, and the files of the results."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ...base.counts import counted
from ...base.folders import list_files
from ...base.tensor_header import SAFETENSORS
from ...painting.folders import PaintJob, check_targets, make_jobs
from ...painting.styles import PaintingStyle, RandomStyle, SavedStyle, StyleSource, mixed
from ...pictures.films import CONTAINERS, is_film
from ...pictures.metadata import ENDINGS, read_settings
from ..errors import CommandError
from ..extras import require
from ..pictures import EarlierResults, each_once, find_pictures, pictures_of
from ..styles import library_style
from .request import DEFAULT_FORMAT, PaintRequest


def find_jobs(request: PaintRequest) -> list[PaintJob]:
    """All pictures to paint, those of one photo together.

    Raises CommandError or ValueError, one sentence, for names that mean nothing and for what does not go
    together.
    """
    results = _earlier_results(request)
    photos = find_pictures(request.photos, "PHOTO", results, films=True)
    films = [photo for photo in photos if is_film(photo)]
    if len(films) == len(photos):
        # Beside photos, each film that cannot be painted is reported as a job that failed.
        _check_films(request, films)
    styles = _chosen_styles(request, results)
    file = request.file
    if file is None:
        ending = f".{request.format or DEFAULT_FORMAT}"
        return make_jobs(photos, styles, request.out, ending, request.pairs)
    if len(photos) > 1 or len(styles) > 1:
        # Mixed styles still paint every photo.
        instead = "name a folder, or --mix the styles" if len(photos) == 1 else "name a folder"
        raise CommandError(
            f"--out {file} is one file, and there are {counted(len(photos), 'photo')} and "
            f"{counted(len(styles), 'style')}; {instead}."
        )
    _check_kind(photos[0], file)
    jobs = [PaintJob(photos[0], styles[0], file)]
    check_targets(jobs)
    return jobs


def _check_films(request: PaintRequest, films: Sequence[Path]) -> None:
    """Raise CommandError if films cannot be painted here, or not as `request` asks."""
    require(("av",), "video", "films need")
    if request.refine is not None:
        raise CommandError(f"--refine is for photos, and {films[0]} is a film; leave one of them out.")


def _check_kind(photo: Path, file: Path) -> None:
    """Raise CommandError if `file` is for a film and `photo` is none, or the other way round."""
    if is_film(photo) and not is_film(file):
        raise CommandError(
            f"--out {file} is a picture, and {photo} is a film; choose an ending of {', '.join(CONTAINERS)}."
        )
    if is_film(file) and not is_film(photo):
        raise CommandError(
            f"--out {file} is a film, and {photo} is a picture; choose an ending of {', '.join(ENDINGS)}."
        )


def _earlier_results(request: PaintRequest) -> EarlierResults:
    file = request.file
    folder = request.out if file is None else file.parent
    return EarlierResults(folder, _is_painted, own_folder=file is None)


def _is_painted(path: Path) -> bool:
    """Whether Brushwork painted the picture or film."""
    if is_film(path):
        # Without PyAV no film is painted anyway.
        with suppress(ImportError):
            from ...painting.films.joining import read_film_settings

            return read_film_settings(path) is not None
        return False
    return read_settings(path) is not None


def find_styles(texts: Sequence[str], results: EarlierResults | None = None) -> list[StyleSource]:
    """The paintings and style files in folders, at any depth, those that patterns and names mean, and library
    styles, each once. Folders and patterns give no `results`.

    Raises CommandError if one of `texts` means nothing.
    """
    found: list[Path] = []
    for text in texts:
        folder = Path(text)
        is_folder = os.path.isdir(text)
        files = pictures_of(text) + (_style_files(folder) if is_folder else [])
        if results is not None and not os.path.isfile(text):
            files = results.removed_from(files, folder if is_folder else results.folder)
        if not files:
            if text and (is_folder or glob.has_magic(text)):
                kind = "folder" if is_folder else "pattern"
                raise CommandError(
                    f"The {kind} {text} has no picture and no style file to paint like; give another --style."
                )
            files = [library_style(text)]
        found += files
    return [
        SavedStyle(path) if path.suffix.lower() == SAFETENSORS else PaintingStyle(path)
        for path in each_once(found)
    ]


def _style_files(folder: Path) -> list[Path]:
    try:
        return [path for path in list_files(folder).files if path.suffix.lower() == SAFETENSORS]
    except OSError as error:
        raise CommandError(
            f"The folder {folder} cannot be opened: {error.strerror}; change its rights."
        ) from error


def _chosen_styles(request: PaintRequest, results: EarlierResults) -> list[StyleSource]:
    styles = find_styles(request.styles, results)
    styles += [RandomStyle(request.seed + i, request.psi) for i in range(request.random or 0)]
    for style in styles:
        if style.paintings() is None:
            _refuse_without_painting(request, style)
    if not request.mix:
        return styles
    if request.weights is not None and len(request.weights) != len(styles):
        found = f"{counted(len(request.weights), 'weight')} for {counted(len(styles), 'style')}"
        raise CommandError(f"--mix has {found}; give one for each, or none.")
    return [mixed(styles, request.weights)]


def _refuse_without_painting(request: PaintRequest, style: StyleSource) -> None:
    """Raise CommandError if `request` asks for what only a painting can give."""
    what = "a random style" if isinstance(style, RandomStyle) else f"{style.name} is a style, which"
    holds = f"{what} holds no painting"
    if request.refine is not None:
        raise CommandError(
            f"--refine looks at the painting itself, and {holds}; give the painting, or leave --refine out."
        )
