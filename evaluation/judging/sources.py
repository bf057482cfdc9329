"""Which photo and which painting belong to a result, by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from ...pictures.folders import picture_files
from .errors import JudgeError
from .results import short_stem

# What `results.result_name` puts before the names of the pictures.
_NUMBER = re.compile(r"\d+__")


class ResultSources:
    """The pictures of the folders of photos and of paintings; either folder may be missing.

    A result is called PHOTO__PAINTING, or NUMBER__PHOTO__PAINTING as Brushwork does, after the pictures'
    names without the ending. So `001__002.png` has the photo `001` and the painting `002`, and
    `007__lake__wave.png` has `lake` and `wave`. Where no picture fits that, any part between double
    underscores counts.
    """

    def __init__(self, photos: Path | None, paintings: Path | None):
        """Raises JudgeError for a folder without pictures, ValueError for one that is not there."""
        self._folders = photos, paintings
        self._photos, self._paintings = (_all(folder) for folder in self._folders)

    def pictures_of(self, result: str) -> tuple[Path | None, Path | None]:
        """Photo and painting of a result; None where there is no folder of them.

        `result` is a path below the folder of results, with or without the ending. Raises JudgeError for a
        picture that is missing or not clear.
        """
        base = result.rpartition("/")[2]
        tails = [base, base.rpartition(".")[0]] if "." in base else [base]
        for tail in tails:
            rest = _NUMBER.sub("", tail, count=1)
            forms = [tail, rest] if "__" in rest else [tail]
            found = {couple for form in forms for couple in self._fitting(form)}
            if len(found) == 1:
                return found.pop()
        photo, painting = (
            _by_part(result, tails, pictures, folder)
            for pictures, folder in zip((self._photos, self._paintings), self._folders, strict=True)
        )
        return photo, painting

    def _fitting(self, name: str) -> list[tuple[Path | None, Path | None]]:
        """The photos and paintings that a result of this name, PHOTO__PAINTING, may have."""
        if self._photos is None and self._paintings is None:
            return [(None, None)]
        photos = _if(self._photos or [], lambda stem: name == stem or name.startswith(f"{stem}__"))
        paintings = _if(self._paintings or [], lambda stem: name == stem or name.endswith(f"__{stem}"))
        if self._paintings is None:
            return [(photo, None) for photo in photos]
        if self._photos is None:
            return [(None, painting) for painting in paintings]
        return [
            (photo, painting)
            for photo in photos
            for painting in paintings
            if any(name == f"{a}__{b}" for a in _stems(photo) for b in _stems(painting))
        ]


def _all(folder: Path | None) -> list[Path] | None:
    if folder is None:
        return None
    found = picture_files(folder)
    if not found:
        raise JudgeError(f"The folder {folder} holds no pictures; give one that does.")
    return found


def _stems(path: Path) -> set[str]:
    return {path.stem, short_stem(path)}


def _if(pictures: Iterable[Path], fits: Callable[[str], bool]) -> list[Path]:
    return [path for path in pictures if any(map(fits, _stems(path)))]


def _by_part(result: str, tails: list[str], pictures: list[Path] | None, folder: Path | None) -> Path | None:
    """The picture that is one part of the result's name."""
    if pictures is None:
        return None
    found = _if(pictures, lambda stem: any(f"__{stem}__" in f"__{tail}__" for tail in tails))
    if len(found) != 1:
        what = "no picture" if not found else f"{len(found)} pictures, {found[0]} and {found[1]} among them,"
        raise JudgeError(
            f"{folder} has {what} for the result '{result}'; name results PHOTO__PAINTING, after the "
            "pictures' names without the ending."
        )
    return found[0]
