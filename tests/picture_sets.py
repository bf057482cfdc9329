"""Sets of pictures with a split that the test decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from brushwork.dataset.collection import PictureSet
from brushwork.dataset.survey import survey
from brushwork.pictures.reading import Picture


def picture_set(train: Sequence[Picture], val: Sequence[Picture] = ()) -> PictureSet:
    """`train` to train on and `val` to validate on."""
    report = survey(None, [*train, *val])
    return PictureSet(replace(report, split_of=("train",) * len(train) + ("val",) * len(val)))
