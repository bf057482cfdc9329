"""Films by the endings of their files. Nothing here opens one."""

from __future__ import annotations

from pathlib import Path

# The formats of films that are written, by FFmpeg's names.
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}

FILM_ENDINGS = {
    *CONTAINERS,
    *(".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv", ".3gp", ".vob"),
}

# It holds nearly any sound.
_ANY_SOUND = ".mkv"


def is_film(path: Path) -> bool:
    """Whether a file of this name is taken for a film.

    >>> is_film(Path("a.MP4")), is_film(Path("a.gif"))
    (True, False)
    """
    return path.suffix.lower() in FILM_ENDINGS


def ending_for(film: Path) -> str:
    """The ending of a painted film: that of the film itself, or .mkv where that is not written.

    >>> ending_for(Path("a.MOV")), ending_for(Path("a.avi"))
    ('.mov', '.mkv')
    """
    ending = film.suffix.lower()
    return ending if ending in CONTAINERS else _ANY_SOUND
