"""Pictures that do not fit into memory: decoded into raw files, read in rows, and encoded from them.

Pillow holds whole pictures. libvips decodes and encodes strip by strip; the extra `large` installs it
(docs/history.md says why it and not another one).
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from .metadata import SETTINGS_KEY, PictureMetadata, fitting_exif, format_of, metadata_of
from .reading import PictureError, opened_picture

if TYPE_CHECKING:
    from pyvips import Image as VipsImage

# The loaders of libvips by Pillow's names of the formats. Pillow decides what a file is: libvips would open
# formats that run programs.
_LOADERS = {"JPEG": "jpegload", "MPO": "jpegload", "PNG": "pngload", "TIFF": "tiffload", "WEBP": "webpload"}

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compression": 6},
    "JPEG": {"Q": 95, "subsample_mode": "off"},
    "TIFF": {"compression": "deflate", "predictor": "horizontal"},
    "WEBP": {"Q": 95, "effort": 4},
}
# Above this a TIFF file needs offsets of 64 bits.
_BIG_TIFF = 3 * 2**30


def vips() -> ModuleType | None:
    """libvips, or None where it is not installed."""
    try:
        return importlib.import_module("pyvips")
    except (ImportError, OSError):
        return None


def _needed_vips() -> ModuleType:
    """libvips. Raises RuntimeError without it: callers look first."""
    found = vips()
    if found is None:
        raise RuntimeError("libvips is not installed.")
    return found


@dataclass(frozen=True)
class RawPicture:
    """The RGB pixels of a picture of `size` (H, W), 8 bits each, in a file without a header."""

    path: Path
    size: tuple[int, int]

    def rows(self, start: int, stop: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """[rows,W,3]."""
        width = self.size[1]
        values = np.fromfile(
            self.path, dtype=np.uint8, count=(stop - start) * width * 3, offset=start * width * 3
        )
        return values.reshape(stop - start, width, 3)


def decode_large(path: str | os.PathLike[str], raw: Path) -> tuple[RawPicture, PictureMetadata]:
    """Decode a picture into the file `raw` as `read_picture` reads it: upright, RGB, transparency over white.

    A few rows are in memory at a time. Raises PictureError for what cannot be read, in this way or at all.
    """
    pyvips = _needed_vips()
    with opened_picture(path) as header:
        loader = _LOADERS.get(header.format or "")
        metadata = metadata_of(header)
    if loader is None:
        raise _not_in_strips(path, f"{header.format} files")
    try:
        image = getattr(pyvips.Image, loader)(os.fspath(path), access="sequential", fail_on="error")
        image = _rgb(path, image.autorot())
        image.rawsave(os.fspath(raw))
    except pyvips.Error as error:
        words = f"it is damaged ({' '.join(str(error).split())[:200]})"
        raise PictureError(path, words) from error
    return RawPicture(raw, (image.height, image.width)), metadata


def encode_large(
    picture: RawPicture,
    target: Path,
    metadata: PictureMetadata | None = None,
    settings: Mapping[str, object] | None = None,
) -> None:
    """Write a picture to `target`; the ending decides the format. With colour profile, EXIF and settings as
    `metadata.encode_picture`.

    Raises OSError if it cannot be written.
    """
    pyvips = _needed_vips()
    kind = format_of(target.suffix)
    metadata = metadata or PictureMetadata()
    height, width = picture.size
    image = pyvips.Image.rawload(os.fspath(picture.path), width, height, 3)
    image = image.copy(interpretation="srgb")
    # What goes along: colour profile, settings, EXIF. PNG and TIFF have a place of their own for texts.
    text = None if settings is None else json.dumps(settings)
    if metadata.icc_profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", metadata.icc_profile)
    if text is not None and kind in ("PNG", "TIFF"):
        name = f"png-comment-0-{SETTINGS_KEY}" if kind == "PNG" else "image-description"
        image.set_type(pyvips.GValue.gstr_type, name, text)
        text = None
    if kind != "TIFF" and (exif := fitting_exif(metadata.exif, (width, height), text, kind)):
        image.set_type(pyvips.GValue.blob_type, "exif-data", exif)
    # Write it; libvips says in several lines what went wrong.
    options = dict(_SAVE_OPTIONS[kind])
    if kind == "TIFF":
        options["bigtiff"] = height * width * 3 > _BIG_TIFF
    try:
        getattr(image, f"{kind.lower()}save")(os.fspath(target), **options)
    except pyvips.Error as error:
        raise OSError(0, " ".join(str(error).split())[:200], os.fspath(target)) from error


def _rgb(path: str | os.PathLike[str], image: VipsImage) -> VipsImage:
    """8-bit RGB as Pillow and `upright_rgb` make it."""
    kind, depth = str(image.interpretation), str(image.format)
    gray = kind in ("b-w", "grey16")
    if depth not in ("uchar", "ushort") or not (gray or kind in ("srgb", "rgb", "rgb16")):
        raise _not_in_strips(path, f"pictures of the kind {kind} with {depth} values")
    if depth == "ushort":
        # Grey as `upright` does it; of colours Pillow takes the higher byte.
        image = (image // 255).cast("uchar") if gray else (image // 256).cast("uchar")
    image = image.copy(interpretation="b-w" if gray else "srgb")
    if image.hasalpha():
        image = image.flatten(background=255)
    return image.extract_band(0, n=1).bandjoin([image[0], image[0]]) if gray else image.extract_band(0, n=3)


def _not_in_strips(path: str | os.PathLike[str], what: str) -> PictureError:
    return PictureError(
        path,
        "it is too large for the memory",
        f"{path} is too large for the memory, and {what} cannot be read in strips; convert it to an RGB "
        "TIFF, PNG or JPEG file with 8 bits.",
    )
