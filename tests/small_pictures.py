"""Small copies of the pictures that ship: to read large ones is much of what a short run costs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PIL import Image


def small_copies(pictures: Iterable[Path], folder: Path) -> list[Path]:
    """Copies under the same names, their longer side 192 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in pictures:
        copies.append(folder / path.name)
        with Image.open(path) as picture:
            picture.thumbnail((192, 192))
            picture.save(copies[-1])
    return copies
