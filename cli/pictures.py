"""The files that arguments name: by folder, by pattern or by their own name."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from ..pictures.reading import picture_files
from .errors import CommandError


def matching_files(text: str) -> list[Path]:
    """The files that a pattern means, sorted, or the one that has this name; none if `text` is a folder."""
    found = sorted(path for path in map(Path, glob.glob(text, recursive=True)) if path.is_file())
    # A name with brackets in it is also a pattern, which means another file.
    return found or [path for path in [Path(text)] if path.is_file()]


def find_pictures(texts: Sequence[str], option: str, results: Path | None = None) -> list[Path]:
    """The pictures that `texts` mean, each once: folders (at any depth), patterns or names of files.

    A folder gives no picture of the folder `results` within it: a command must not read what it wrote.
    Raises CommandError if one of `texts` finds none.
    """
    pictures: list[Path] = []
    for text in texts:
        if Path(text).is_dir():
            found = picture_files(Path(text))
            if results is not None and _is_within(results, Path(text)):
                found = [path for path in found if not _is_within(path, results)]
        else:
            found = matching_files(text)
        if not found:
            raise CommandError(f"{option} {text} finds no picture; give folders, files or patterns.")
        pictures += found
    return list(dict.fromkeys(pictures))


def _is_within(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents
