"""The pictures in a folder, and which of the files can be read."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..base.files import checked_folder
from ..base.settings import check_choice
from ..pictures.folders import list_pictures
from ..pictures.reading import decoders
from .picture_facts import PictureFacts, duplicate_groups
from .splits import SPLITS, assign_splits, read_split_file
from .unreadable import UnreadableFile, look_at, why_none


@dataclass
class PictureFolder:
    """What a folder holds: the readable pictures, sorted, and the files that cannot be read."""

    root: Path
    pictures: list[PictureFacts]
    skipped: list[UnreadableFile] = field(default_factory=list)
    left_out: str = ""
    """What `PictureListing.left_out` says of hidden pictures."""

    @classmethod
    def scan(cls, root: str | os.PathLike[str]) -> PictureFolder:
        """All pictures below `root`, at any depth, in any format that Pillow reads.

        A file that has a picture's ending but does not decode is skipped and listed. Raises
        ValueError, one sentence, when the folder is missing or holds no readable picture.
        """
        root = checked_folder(root, "root")
        listing = list_pictures(root)
        candidates = listing.pictures
        names = [path.relative_to(root).as_posix() for path in candidates]
        with ThreadPoolExecutor(decoders()) as pool:
            read = list(pool.map(look_at, candidates, names))
        found = [facts for facts in read if isinstance(facts, PictureFacts)]
        skipped = [file for file in read if isinstance(file, UnreadableFile)]
        if not found:
            why = why_none(skipped, listing.left_out)
            raise ValueError(f"The folder {root} holds no picture that can be read{why}; give another one.")
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
