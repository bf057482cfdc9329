"""The pictures in a folder, and which of the files can be read."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..base.settings import check_choice
from ..pictures.folders import list_pictures
from ..pictures.reading import decoders
from .picture_facts import PictureFacts, UnreadablePictureError, duplicate_groups, file_facts
from .splits import SPLITS, assign_splits, read_split_file


@dataclass
class PictureFolder:
    """What a folder holds: the readable pictures, sorted, and the files that cannot be read."""

    root: Path
    pictures: list[PictureFacts]
    skipped: list[Path] = field(default_factory=list)
    left_out: str = ""
    """What `PictureListing.left_out` says of hidden pictures."""

    @classmethod
    def scan(cls, root: str | os.PathLike[str]) -> PictureFolder:
        """All pictures below `root`, at any depth, in any format that Pillow reads.

        A file that has a picture's ending but does not decode is skipped and listed. Raises
        ValueError, one sentence, when the folder is missing or holds no readable picture.
        """
        root = Path(root)
        listing = list_pictures(root)
        candidates = listing.pictures
        with ThreadPoolExecutor(decoders()) as pool:
            read = list(pool.map(lambda path: _facts(path, root), candidates))
        found = [facts for facts in read if facts is not None]
        skipped = [path for path, facts in zip(candidates, read, strict=True) if facts is None]
        if not found:
            more = f" ({listing.left_out} left out)" if listing.left_out else ""
            raise ValueError(f"The folder {root} holds no picture that can be read{more}.")
        return cls(root, found, skipped, listing.left_out)

    @property
    def paths(self) -> list[Path]:
        """The readable pictures, sorted."""
        return [facts.source for facts in self.pictures if isinstance(facts.source, Path)]

    def split(self, name: str, split_file: str | os.PathLike[str] | None = None) -> list[Path]:
        """The pictures of 'train', 'val' or 'test', as `assign_splits` or the split file says.

        Raises ValueError, one sentence, for another name or a file that does not fit.
        """
        check_choice("split", name, SPLITS)
        names = [facts.name for facts in self.pictures]
        if split_file is None:
            splits = assign_splits(names, groups=duplicate_groups(self.pictures))
        else:
            table = read_split_file(split_file, self.root)
            splits = table.splits(names)
        return [path for path, split in zip(self.paths, splits, strict=True) if split == name]


def _facts(path: Path, root: Path) -> PictureFacts | None:
    try:
        return file_facts(path, path.relative_to(root).as_posix())
    except UnreadablePictureError:
        return None
