"""Folders of pictures: finding them, reading them, splitting them, cutting crops out of them.

How pictures are prepared is decided here and nowhere else. `upright_rgb`: 8 bits, turned as shown,
transparency over white; colour profiles are not applied. `random_crop`: scaled in proportion, bicubic, to
a shorter side drawn between two bounds on a log scale; a square cut anywhere; half of them mirrored.
`CropPool.batch`: float32 in 0..1, from which no mean is taken: the loss network subtracts its own.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# What Pillow raises on damaged files: OSError, and whatever its decoders stumble over.
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, RuntimeError,
    struct.error, Image.DecompressionBombError,
)  # fmt: skip

# A picture to train on: a file, or RGB pixels that a node was given.
Picture = Path | Image.Image


def read_picture(path: str | os.PathLike[str]) -> Image.Image:
    """A picture, of an animation the first frame, as `upright_rgb` makes it.

    Raises one of `DAMAGE`, most often OSError, when it cannot be decoded.
    """
    with Image.open(path) as image:
        image.load()
        return upright_rgb(image)


def upright_rgb(image: Image.Image) -> Image.Image:
    """A decoded picture as 8-bit RGB, turned as its EXIF data says, transparency over white."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits, which Pillow's own conversion would clip to white
        levels = np.asarray(image).astype(np.int64).clip(0, 65535) >> 8
        image = Image.fromarray(levels.astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def open_picture(picture: Picture) -> Image.Image:
    """A file read with `read_picture`; pixels as they are."""
    return picture if isinstance(picture, Image.Image) else read_picture(picture)


def decoders() -> int:
    """How many threads decode pictures at once."""
    return min(8, os.cpu_count() or 1)
