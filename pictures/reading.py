"""From a file to upright RGB of 8 bits, the same way for training, evaluation and painting."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

# What Pillow raises on damaged files: OSError, and the errors of its decoders.
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, RuntimeError,
    struct.error, Image.DecompressionBombError,
)  # fmt: skip

# A picture to train on: a file, or RGB pixels that a node received.
Picture = Path | Image.Image


def read_picture(path: str | os.PathLike[str]) -> Image.Image:
    """A picture, or the first frame of an animation, as `upright_rgb` makes it.

    Raises one of `DAMAGE`, most often OSError, when it cannot be decoded.
    """
    with Image.open(path) as image:
        image.load()
        return upright_rgb(image)


def upright_rgb(image: Image.Image) -> Image.Image:
    """A decoded picture as 8-bit RGB, turned as its EXIF data says, transparency over white.

    Colour profiles are not applied.
    """
    image = upright(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def upright(image: Image.Image) -> Image.Image:
    """A decoded picture turned as its EXIF data says, with 16 bits of grey reduced to 8.

    16 bits come out as ComfyUI's LoadImage shows them: `i.point(lambda i: i * (1 / 255))` cuts the fraction
    off, and the conversion to RGB clips to 255. LoadImage does that for mode I only. Pillow's present
    versions open every 16-bit PNG as I;16, and LoadImage shows these white from level 255 of 65535 on. That
    is a fault, so this does not do the same.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        levels = (np.asarray(image).astype(np.int64) // 255).clip(0, 255)
        image = Image.fromarray(levels.astype(np.uint8))
    return image


def open_picture(picture: Picture) -> Image.Image:
    """The picture in a file, as `read_picture` reads it; pixels stay as they are."""
    return picture if isinstance(picture, Image.Image) else read_picture(picture)


def decoders() -> int:
    """How many threads decode pictures at once."""
    return min(8, os.cpu_count() or 1)


def picture_files(root: Path) -> list[Path]:
    """The files below `root`, at any depth, that have a picture's ending; sorted, not opened.

    Raises ValueError, one sentence, when the folder is missing.
    """
    if not root.is_dir():
        raise ValueError(f"There is no folder {root}; give the folder that holds the pictures.")
    endings = {ending for ending, name in Image.registered_extensions().items() if name in Image.OPEN}
    return sorted(path for path in root.rglob("*") if path.suffix.lower() in endings and path.is_file())
