"""Numbers of things in sentences."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """`number` with the noun in its form: `one`, or `several`, which is `one` with an s if it is not given.

    >>> counted(1, "picture"), counted(0, "picture"), counted(2, "batch", "batches")
    ('1 picture', '0 pictures', '2 batches')
    """
    return f"{number} {one if number == 1 else several or one + 's'}"
