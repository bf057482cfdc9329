"""The pictures of a run, from folders and a split: those to train on and those to validate on."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..base.shipped import demo_photos
from ..pictures.reading import Picture
from .folder import PictureFolder, picture_files
from .perceptual_hash import PerceptualHash, near_duplicates
from .picture_facts import UnreadablePictureError, file_facts, pixel_facts
from .report import DatasetReport
from .splits import validation_split
from .survey import survey

# From so many pictures on the split goes by the hash of their paths, 80, 10 and 10 in 100: a picture then
# stays where it is when others come, and some are kept for `brushwork evaluate`.
MANY = 100


def gather(
    content: Path | None, style: Path, split_file: Path | None, share: float
) -> tuple[PictureSet, PictureSet]:
    """Photos and paintings; without a folder of photos those that ship with Brushwork.

    Raises ValueError, one sentence.
    """
    if content is None:
        photos = collect("photos", pictures=demo_photos(), share=share)
    else:
        photos = _from_folder("photos", content, split_file, share)
    return photos, _from_folder("paintings", style, split_file, share)


def _from_folder(what: str, folder: Path, split_file: Path | None, share: float) -> PictureSet:
    folder = Path(os.path.abspath(folder))  # a split file goes by the folder's name, and "." has none
    found = collect(what, folder, share=share)
    everything = sorted([*found.train, *found.val])
    if split_file is None and len(everything) < MANY:
        return found
    pictures = PictureFolder(folder, everything)
    try:
        train, val = (pictures.split(name, split_file) for name in ("train", "val"))
    except json.JSONDecodeError as error:
        raise ValueError(f"--split {split_file} is not JSON: {error}.") from error
    if not train:
        raise ValueError(f"The split leaves none of the {len(everything)} {what} in {folder} to train on.")
    return replace(found, train=train, val=val)


def report(folder: Path, pictures: PictureSet) -> DatasetReport:
    """What there is to say about the folder, with the split that this run makes."""
    folder = Path(os.path.abspath(folder))
    found = survey(folder)
    places = dict.fromkeys(pictures.train, "train") | dict.fromkeys(pictures.val, "val")
    kept_back = "test" if len(found.pictures) >= MANY else ""
    split_of = tuple(places.get(folder / facts.name, kept_back) for facts in found.pictures)
    return replace(found, split_of=split_of)


@dataclass(frozen=True)
class PictureSet:
    """Pictures of one kind, parted into those to train on and those to validate on."""

    train: list[Picture]
    val: list[Picture]
    """May be empty: `Run` then scores training pictures."""
    digests: list[str]
    """Of all pictures, sorted; the same pictures under the same split share have the same."""
    skipped: list[str]
    """Files with a picture's ending that cannot be read, and why."""

    def describe(self, what: str) -> str:
        """One line, such as '20 paintings, 3 of them for validation'."""
        text = f"{len(self.train) + len(self.val)} {what}"
        if self.val:
            text += f", {len(self.val)} of them for validation"
        if self.skipped:
            text += f"; {len(self.skipped)} unreadable files skipped (first: {self.skipped[0]})"
        return text


@dataclass(frozen=True)
class _Known:
    """A picture, its name in the split, and what tells it from others."""

    picture: Picture
    name: str
    digest: str
    hash: PerceptualHash | None


def collect(
    what: str, folder: Path | None = None, pictures: Sequence[Picture] = (), share: float = 0.0
) -> PictureSet:
    """The readable pictures below `folder`, at any depth, and `pictures`, split for validation.

    The split goes by the names and keeps near-duplicates together, so it is the same in every run on
    these pictures; see `validation_split` for `share`. `what` is what to call them all in errors.
    Raises ValueError, one sentence, if the folder is missing or there is no picture.
    """
    paths = picture_files(folder) if folder is not None else []
    names = [path.relative_to(folder).as_posix() for path in paths]
    names += [p.name if isinstance(p, Path) else f"image {n}" for n, p in enumerate(pictures, 1)]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(_look_at, [*paths, *pictures], names))
    known = [item for item in found if isinstance(item, _Known)]
    if not known:
        place = f"The folder {folder} holds no {what} that can be read" if folder else f"There are no {what}"
        raise ValueError(f"{place}; give a folder of pictures, or a batch of images.")
    groups = near_duplicates([item.hash for item in known])
    train, val = validation_split([item.name for item in known], share, groups=groups)
    return PictureSet(
        [known[i].picture for i in train],
        [known[i].picture for i in val],
        sorted(item.digest for item in known),
        [item for item in found if isinstance(item, str)],
    )


def _look_at(picture: Picture, name: str) -> _Known | str:
    """What is known about the picture, or why it cannot be read."""
    try:
        facts = file_facts(picture, name) if isinstance(picture, Path) else pixel_facts(picture, name)
    except UnreadablePictureError as error:
        return f"{name}: {error}"
    return _Known(picture, name, facts.digest, facts.hash)
