"""The pictures that `brushwork train` trains on and validates on, from folders and a split."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from ..training.dataset import survey
from ..training.dataset_report import DatasetReport
from ..training.pictures import PictureFolder
from ..training.preparation import PictureSet, collect, demo_photos

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
