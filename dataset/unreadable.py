"""Files that have a picture's ending and cannot be read, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..base.counts import counted
from ..base.text_files import one_line
from ..pictures.reading import Picture
from .picture_facts import PictureFacts, UnreadablePictureError, file_facts, pixel_facts


@dataclass(frozen=True)
class UnreadableFile:
    """A file that has a picture's ending and cannot be read, and why."""

    name: str
    """The path below the folder, with forward slashes."""
    reason: str

    def __str__(self) -> str:
        return f"{one_line(self.name)}: {one_line(self.reason)}"


def look_at(picture: Picture, name: str) -> PictureFacts | UnreadableFile:
    """The facts about a picture, or why it cannot be read."""
    try:
        return file_facts(picture, name) if isinstance(picture, Path) else pixel_facts(picture, name)
    except UnreadablePictureError as error:
        return UnreadableFile(name, str(error))


def why_none(unreadable: Sequence[UnreadableFile], left_out: str) -> str:
    """Why a folder with files holds no picture, in brackets after "The folder … holds no picture".

    `left_out` is what `PictureListing.left_out` says.

    >>> why_none([UnreadableFile("a.png", "it is damaged")], "1 hidden picture (._a.png)")
    ' (1 unreadable file, first a.png: it is damaged; 1 hidden picture (._a.png) left out)'
    """
    parts = [f"{left_out} left out"] if left_out else []
    if unreadable:
        parts.insert(0, f"{counted(len(unreadable), 'unreadable file')}, first {unreadable[0]}")
    return f" ({'; '.join(parts)})" if parts else ""
