"""Sizes of pictures on a command line and in tables: 512 is a square, 3840x2160 has a width and a height."""

from __future__ import annotations

import re

Size = int | str


def picture_size(text: str) -> Size:
    """A size as the user wrote it. Raises ValueError, for argparse.

    >>> picture_size("512"), picture_size("3840X2160")
    (512, '3840x2160')
    """
    if text.isdecimal():
        return int(text)
    if not re.fullmatch(r"\d+x\d+", text.lower()):
        raise ValueError(text)
    return text.lower()


def sides(size: Size) -> tuple[int, int]:
    """Height and width.

    >>> sides(512), sides("3840x2160")
    ((512, 512), (2160, 3840))
    """
    if isinstance(size, int):
        return size, size
    width, height = map(int, size.split("x"))
    return height, width
