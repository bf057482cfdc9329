"""The pictures of a run: those to train on and those to validate on, with the facts about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..base.counts import counted
from ..base.shipped import demo_photos
from ..pictures.reading import Picture
from .picture_facts import PictureFacts
from .report import DatasetReport
from .splits import VALIDATION_SHARE
from .survey import NoPicturesError, survey
from .unreadable import why_none


@dataclass(frozen=True)
class PictureSet:
    """Pictures of one kind, parted into those to train on and those to validate on."""

    report: DatasetReport

    def part(self, split: str) -> list[PictureFacts]:
        """The facts about the pictures of 'train', 'val' or 'test', in their order."""
        places = zip(self.report.pictures, self.report.split_of, strict=True)
        return [facts for facts, name in places if name == split]

    @cached_property
    def train(self) -> list[Picture]:
        return [facts.source for facts in self.part("train")]

    @cached_property
    def val(self) -> list[Picture]:
        """May be empty: `Run` then scores training pictures."""
        return [facts.source for facts in self.part("val")]

    @property
    def digests(self) -> list[str]:
        """The hashes of all pictures, sorted: equal for the same pictures with the same split share."""
        return sorted(facts.digest for facts in self.report.pictures)

    def describe(self, what: str) -> str:
        """One line, such as '20 paintings, 3 of them for validation'; `what` they are, in the singular."""
        text = counted(len(self.train) + len(self.val), what)
        if self.val:
            text += f", {len(self.val)} of them for validation"
        skipped = self.report.unreadable
        if skipped:
            text += f"; {counted(len(skipped), 'unreadable file')} skipped (first: {skipped[0]})"
        if self.report.left_out:
            text += f"; {self.report.left_out} left out"
        return text


def collect(
    what: str,
    folder: Path | None = None,
    pictures: Sequence[Picture] = (),
    share: float = VALIDATION_SHARE,
    split_file: Path | None = None,
) -> PictureSet:
    """The readable pictures below `folder`, at any depth, and `pictures`, parted by `assign_splits`.

    Errors call the pictures `what`. Raises ValueError, one sentence, if the folder is missing, if
    there is no picture, or if `split_file` leaves none to train on.
    """
    try:
        report = survey(folder, pictures, split_file, share)
    except NoPicturesError as error:
        raise ValueError(_no_pictures(what, folder, why_none((), error.left_out))) from error
    if not report.pictures:
        raise ValueError(_no_pictures(what, folder, why_none(report.unreadable, report.left_out)))
    found = PictureSet(report)
    if not found.train:
        raise ValueError(
            f"The split leaves none of the {what} in {folder} to train on; name some in 'train'."
        )
    return found


def _no_pictures(what: str, folder: Path | None, why: str) -> str:
    place = f"The folder {folder} holds no {what} that can be read" if folder else f"There are no {what}"
    return f"{place}{why}; give a folder of pictures, or a batch of images."


def photos_and_paintings(
    content: Path | None, style: Path, split_file: Path | None = None, share: float = VALIDATION_SHARE
) -> tuple[PictureSet, PictureSet]:
    """Photos and paintings of two folders; without a folder of photos, the photos that ship with Brushwork.

    Raises ValueError, one sentence.
    """
    if content is None:
        photos = collect("photos", pictures=demo_photos(), share=share)
    else:
        photos = collect("photos", content, share=share, split_file=split_file)
    return photos, collect("paintings", style, share=share, split_file=split_file)
