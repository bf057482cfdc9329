"""Pairs of a photo and a style: each with each, or side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from .counts import counted
from .settings import check_choice

Photo = TypeVar("Photo")
Style = TypeVar("Style")

PAIRS = ("cross", "zip")


def paired(photos: Sequence[Photo], styles: Sequence[Style], pairs: str) -> list[tuple[Photo, Style]]:
    """Each photo in each style ('cross'), those of one photo together, or the style beside it ('zip').

    Raises ValueError for another word in `pairs`, or if 'zip' has not as many styles as photos.
    """
    check_choice("pairs", pairs, PAIRS)
    if pairs == "cross":
        # One photo after the other, because its content is kept for all its styles.
        return [(photo, style) for photo in photos for style in styles]
    if len(photos) != len(styles):
        raise ValueError(
            f"The pairs 'zip' need as many styles as photos, and there are {counted(len(photos), 'photo')} "
            f"and {counted(len(styles), 'style')}; add or remove some, or choose 'cross'."
        )
    return list(zip(photos, styles, strict=True))
