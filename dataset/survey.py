"""A folder of pictures before training: what is in it, what is wrong with it, how it is split."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..base.excerpt import value_excerpt
from ..base.settings import is_whole
from ..pictures.folders import PictureListing, list_pictures
from ..pictures.reading import Picture, decoders
from .picture_facts import PictureFacts, duplicate_groups
from .report import MIN_SIDE, DatasetReport
from .splits import VALIDATION_SHARE, assign_splits, read_split_file
from .unreadable import UnreadableFile, look_at, why_none


class NoPicturesError(ValueError):
    """There are no pictures; the message is one sentence."""

    def __init__(self, sentence: str, left_out: str):
        super().__init__(sentence)
        self.left_out = left_out


def survey(
    folder: Path | None,
    pictures: Sequence[Picture] = (),
    split_file: Path | None = None,
    share: float = VALIDATION_SHARE,
    min_side: int = MIN_SIDE,
    on_progress: Callable[[int, int], None] | None = None,
) -> DatasetReport:
    """Look at every picture below `folder`, which may be None, and at `pictures`.

    Each is decoded once, several at a time; the report keeps the facts. A file in `pictures` goes by its
    name, pixels go by 'image 1', 'image 2', … `on_progress(done, total)` is called in this thread after each
    picture; an error from it ends the survey. `assign_splits` or `split_file` decides the split. Raises
    NoPicturesError if there are no pictures, and ValueError, one sentence, if there is no such folder or
    `split_file` does not fit.
    """
    if not is_whole(min_side) or min_side < 1:
        raise ValueError(f"min_side is {value_excerpt(min_side)}; give a whole number of 1 or more.")
    # Find them, and give each a name.
    listing: PictureListing | None = None
    paths: list[Path] = []
    names: list[str] = []
    if folder is not None:
        folder = Path(os.path.abspath(folder))  # the report has the folder's name, and "." has none
        listing = list_pictures(folder)
        paths = listing.pictures
        names = [path.relative_to(folder).as_posix() for path in paths]
    names += [p.name if isinstance(p, Path) else f"image {n}" for n, p in enumerate(pictures, 1)]
    if not names:
        left_out = listing.left_out if listing else ""
        where = f"The folder {folder} holds no picture{why_none((), left_out)}; give another one."
        raise NoPicturesError(where if folder else "There are no pictures.", left_out)
    table = read_split_file(split_file, folder) if folder and split_file else None

    # Look at each.
    readable: list[PictureFacts] = []
    unreadable: list[UnreadableFile] = []
    pool = ThreadPoolExecutor(decoders())
    try:
        for done, item in enumerate(pool.map(look_at, [*paths, *pictures], names), 1):
            if isinstance(item, UnreadableFile):
                unreadable.append(item)
            else:
                readable.append(item)
            if on_progress is not None:
                on_progress(done, len(names))
    finally:
        pool.shutdown(cancel_futures=True)

    # Find copies, and decide which pictures validate.
    groups = duplicate_groups(readable)
    kept = [facts.name for facts in readable]
    splits = assign_splits(kept, share, groups) if table is None else table.splits(kept)
    return DatasetReport(
        folder.name if folder else "images",
        tuple(readable),
        tuple(unreadable),
        tuple(groups),
        tuple(splits),
        min_side,
        tuple(path.suffix.lower() for path in listing.others) if listing else (),
        listing.left_out if listing else "",
    )
