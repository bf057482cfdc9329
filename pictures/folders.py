"""The pictures in a folder, by their endings, and the files that are left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ..base.counts import counted
from ..base.excerpt import excerpt
from ..base.folders import list_files
from .reading import picture_endings

_LONGEST_NAME = 200


@dataclass(frozen=True)
class PictureListing:
    """The pictures below `root`, at any depth, sorted and not opened, and what is not among them."""

    root: Path
    pictures: list[Path]
    hidden: list[Path]
    """Pictures that are hidden or in a hidden folder."""
    closed: list[Path]
    """Folders that cannot be opened."""
    others: list[Path]
    """Files without a picture's ending that are not hidden."""
    lost: list[Path] = field(default_factory=list)
    """Links to what is not there."""

    @property
    def left_out(self) -> str:
        """What is left out, in a few words; empty if nothing is.

        >>> PictureListing(Path("p"), [], [Path("p/._a.jpg")], [], []).left_out
        '1 hidden picture (._a.jpg)'
        """
        parts = [
            self._counted(self.hidden, "hidden picture"),
            self._counted(self.closed, "folder that cannot be opened", "folders that cannot be opened"),
            self._counted(self.lost, "link to what is not there", "links to what is not there"),
        ]
        return ", ".join(filter(None, parts))

    def _counted(self, paths: list[Path], one: str, several: str = "") -> str:
        if not paths:
            return ""
        first = excerpt(paths[0].relative_to(self.root).as_posix(), _LONGEST_NAME)
        which = first if len(paths) == 1 else f"first: {first}"
        return f"{counted(len(paths), one, several)} ({which})"


def list_pictures(root: Path) -> PictureListing:
    """Raises ValueError, one sentence, when the folder is missing or cannot be opened."""
    if not os.path.isdir(root):
        raise ValueError(f"There is no folder {root}; give the folder that holds the pictures.")
    try:
        listing = list_files(root)
    except OSError as error:
        raise ValueError(
            f"The folder {root} cannot be opened: {error.strerror}; change its rights."
        ) from error
    endings = picture_endings()

    def is_picture(path: Path) -> bool:
        return path.suffix.lower() in endings

    return PictureListing(
        root,
        [path for path in listing.files if is_picture(path)],
        [path for path in listing.hidden if is_picture(path)],
        listing.closed,
        [path for path in listing.files if not is_picture(path)],
        listing.lost,
    )


def picture_files(root: Path) -> list[Path]:
    """The pictures that `list_pictures` finds, and its errors."""
    return list_pictures(root).pictures
