"""The pictures in a folder: finding them, and telling which can be read."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from ..pictures.reading import DAMAGE, decoders, read_picture
from .splits import SPLITS, hash_split


@dataclass
class PictureFolder:
    """What a folder holds: the readable pictures, sorted, and how many files were not."""

    root: Path
    paths: list[Path]
    skipped: list[Path] = field(default_factory=list)

    @classmethod
    def scan(cls, root: str | os.PathLike[str]) -> PictureFolder:
        """All pictures below `root`, at any depth, in any format that Pillow reads.

        A file that has a picture's ending but does not decode is skipped and listed. Raises
        ValueError, one sentence, when the folder is missing or holds no readable picture.
        """
        root = Path(root)
        candidates = picture_files(root)
        with ThreadPoolExecutor(decoders()) as pool:
            readable = list(pool.map(_decodes, candidates))
        found = [p for p, ok in zip(candidates, readable, strict=True) if ok]
        skipped = [p for p, ok in zip(candidates, readable, strict=True) if not ok]
        if not found:
            raise ValueError(f"The folder {root} holds no picture that can be read.")
        return cls(root, found, skipped)

    def split(self, name: str, split_file: str | os.PathLike[str] | None = None) -> list[Path]:
        """The pictures of 'train', 'val' or 'test': 80, 10 and 10 in 100.

        By SHA-256 of the path below the folder, so a picture stays where it is when others come or
        go; or as `split_file` says (JSON: {folder name: {"train": [path below its parent, …], …}}).
        """
        if name not in SPLITS:
            raise ValueError(f"split is '{name}'; choose one of {', '.join(SPLITS)}.")
        if split_file is None:
            return [p for p in self.paths if hash_split(p.relative_to(self.root).as_posix()) == name]
        with open(split_file, encoding="utf-8") as file:
            table = json.load(file)
        try:
            members = set(table[self.root.name][name])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{split_file} has no entry '{self.root.name}' with a '{name}' list.") from error
        return [p for p in self.paths if p.relative_to(self.root.parent).as_posix() in members]

    def describe(self) -> str:
        """One line: what was found and what was skipped."""
        text = f"{self.root.name}: {len(self.paths)} pictures"
        if self.skipped:
            text += f", {len(self.skipped)} unreadable files skipped (first: {self.skipped[0].name})"
        return text


def picture_files(root: Path) -> list[Path]:
    """The files below `root`, at any depth, that have a picture's ending; sorted, not opened.

    Raises ValueError, one sentence, when the folder is missing.
    """
    if not root.is_dir():
        raise ValueError(f"There is no folder {root}; give the folder that holds the pictures.")
    endings = {e for e, name in Image.registered_extensions().items() if name in Image.OPEN}
    return sorted(p for p in root.rglob("*") if p.suffix.lower() in endings and p.is_file())


def _decodes(path: Path) -> bool:
    try:
        read_picture(path)
    except DAMAGE:
        return False
    return True
