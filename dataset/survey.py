"""A folder of pictures before training: what is in it, what is wrong with it, how it is split."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from pathlib import Path

from torch import Tensor

from ..pictures.tensors import as_picture
from .folder import PictureFolder, picture_files
from .perceptual_hash import near_duplicates
from .picture_facts import PictureFacts, UnreadablePictureError, file_facts, pixel_facts
from .report import MIN_SIDE, DatasetReport, UnreadableFile
from .splits import SPLITS, validation_split


def survey(
    folder: Path | None,
    images: Tensor | None = None,
    split_file: Path | None = None,
    min_side: int = MIN_SIDE,
    on_progress: Callable[[int, int], None] | None = None,
) -> DatasetReport:
    """Look at every picture below `folder` and at `images` [B,3,H,W], RGB in 0..1; either may be None.

    Each file is read once, several at a time. `on_progress(done, total)` is called in this thread
    after each picture; what it raises ends the survey. The split is that of `PictureFolder.split`, in
    which images have no place; see also `with_validation_share`.
    Raises ValueError, one sentence, when there is nothing to look at or `split_file` does not fit.
    """
    paths, names, name = [], [], "images"
    if folder is not None:
        folder = Path(os.path.abspath(folder))  # a split file goes by the folder's name, and "." has none
        paths, name = picture_files(folder), folder.name
        names = [path.relative_to(folder).as_posix() for path in paths]
    total = len(paths) + (0 if images is None else len(images))
    if total == 0:
        raise ValueError(f"The folder {folder} holds no picture." if folder else "There are no pictures.")
    split_by_name = _splits(folder, paths, split_file) if folder else {}

    pictures: list[PictureFacts] = []
    unreadable: list[UnreadableFile] = []
    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        of_images = (pixel_facts(as_picture(image), f"image {n}") for n, image in enumerate(_rows(images), 1))
        for done, item in enumerate(chain(pool.map(_look_at, paths, names), of_images), 1):
            if isinstance(item, UnreadableFile):
                unreadable.append(item)
            else:
                pictures.append(item)
            if on_progress is not None:
                on_progress(done, total)
    finally:
        pool.shutdown(cancel_futures=True)
    return DatasetReport(
        name,
        tuple(pictures),
        tuple(unreadable),
        tuple(_groups(pictures)),
        tuple(split_by_name.get(facts.name, "") for facts in pictures),
        min_side,
        _other_files(folder, paths) if folder else (),
    )


def with_validation_share(report: DatasetReport, share: float) -> DatasetReport:
    """`report` with the split that TrainStyle makes of these pictures, and `brushwork train` of few:
    `validation_split`, near-duplicates together."""
    train, val = validation_split([facts.name for facts in report.pictures], share, groups=report.group_of)
    places = dict.fromkeys(train, "train") | dict.fromkeys(val, "val")
    return replace(report, split_of=tuple(places[i] for i in range(len(places))))


def _look_at(path: Path, name: str) -> PictureFacts | UnreadableFile:
    try:
        return file_facts(path, name)
    except UnreadablePictureError as error:
        return UnreadableFile(name, str(error))


def _rows(images: Tensor | None) -> Sequence[Tensor]:
    return () if images is None else images


def _splits(folder: Path, paths: list[Path], split_file: Path | None) -> dict[str, str]:
    """Name of each picture -> 'train', 'val' or 'test'."""
    pictures = PictureFolder(folder, paths)
    try:
        members = {split: pictures.split(split, split_file) for split in SPLITS}
    except json.JSONDecodeError as error:
        raise ValueError(f"{split_file} is not JSON: {error}.") from error
    except OSError as error:
        raise ValueError(f"{split_file} cannot be read: {error.strerror}.") from error
    return {path.relative_to(folder).as_posix(): split for split in SPLITS for path in members[split]}


def _groups(pictures: Sequence[PictureFacts]) -> list[int]:
    """`DatasetReport.group_of`. Blank pictures have no hash, and are equal only byte by byte."""
    groups = near_duplicates([facts.hash for facts in pictures])
    first: dict[str, int] = {}
    for index, facts in enumerate(pictures):
        if facts.hash is None:
            groups[index] = first.setdefault(facts.digest, index)
    return groups


def _other_files(folder: Path, paths: list[Path]) -> tuple[str, ...]:
    known = set(paths)
    others = (p for p in sorted(folder.rglob("*")) if p not in known and p.is_file())
    return tuple(p.suffix.lower() for p in others if not p.name.startswith("."))
