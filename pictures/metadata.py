"""Metadata of picture files: colour profile, EXIF and settings, and how a painting keeps them."""

from __future__ import annotations

import io
import json
import os
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .reading import DAMAGE, opened_picture, upright_rgb

# Formats by the endings of their files, and the options for saving them in good quality.
ENDINGS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    # The default, 6, takes 2.6 times as long and makes a painting's file 2 % smaller.
    "PNG": {"compress_level": 1},
    "JPEG": {"quality": 95, "subsampling": 0, "optimize": True},
    "WEBP": {"quality": 95, "method": 4},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
# The longest side in pixels of a picture in each format.
_LONGEST_SIDE = {"PNG": 2**31 - 1, "JPEG": 65500, "WEBP": 16383, "TIFF": 2**31 - 1}

# The PNG chunk with the settings.
SETTINGS_KEY = "brushwork"

_DESCRIPTION = 0x010E
_ORIENTATION, _EXIF_IFD, _GPS_IFD, _INTEROP_IFD = 0x0112, 0x8769, 0x8825, 0xA005
_USER_COMMENT, _MAKER_NOTE = 0x9286, 0x927C
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
# The encoding stands before the text of a user comment.
_ASCII = b"ASCII\0\0\0"
# The limit of a JPEG segment.
_LARGEST_JPEG_EXIF = 65533

# Pillow gives all tags of a TIFF file, and most of them say how its pixels are stored. These describe the
# picture: description, make, model, resolution, software, date, artist, computer, rating, copyright.
_ABOUT_THE_PICTURE = {270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 18246, 33432}


@dataclass(frozen=True)
class PictureMetadata:
    """The metadata that a painting keeps from its photo.

    icc_profile: only one for RGB, since a profile for CMYK or grey does not fit RGB pixels. exif: with the
    orientation reset, since pictures are read upright, and without the embedded thumbnail.
    """

    icc_profile: bytes | None = None
    exif: bytes | None = None


def read_with_metadata(path: str | os.PathLike[str]) -> tuple[Image.Image, PictureMetadata]:
    """A picture as `read_picture` reads it, and its metadata; damaged EXIF counts as none.

    Raises PictureError, one sentence, when it cannot be read.
    """
    with warnings.catch_warnings(), opened_picture(path) as image:
        # Pillow warns of damaged EXIF, but the user chose this picture for its pixels.
        warnings.simplefilter("ignore")
        image.load()
        metadata = metadata_of(image)
        return upright_rgb(image), metadata


def metadata_of(image: Image.Image) -> PictureMetadata:
    """What a painting keeps of an opened picture. The EXIF of a PNG may come after the pixels; then it counts
    only if they are decoded."""
    if image.format == "PNG" and "exif" not in image.info and not _is_decoded(image):
        return PictureMetadata(_rgb_profile(image))
    return PictureMetadata(_rgb_profile(image), _exif_of(image))


def _is_decoded(image: Image.Image) -> bool:
    return not getattr(image, "tile", None)


def encode_picture(
    picture: Image.Image,
    ending: str,
    metadata: PictureMetadata | None = None,
    settings: Mapping[str, object] | None = None,
) -> bytes:
    """An RGB picture as the bytes of a file with this ending: .png, .jpg, .jpeg, .webp, .tif or .tiff.

    The settings are stored as JSON: in PNG as the text chunk `brushwork`, in TIFF as the description of the
    picture, in JPEG and WebP as the EXIF user comment. If EXIF is too large for a JPEG, it loses the maker's
    note, and then all except the settings. A TIFF keeps no EXIF: its tags say how its pixels are stored.
    Raises ValueError for another ending and for a picture that is too large for the format.
    """
    kind = format_of(ending)
    check_size(picture.size, ending)
    metadata = metadata or PictureMetadata()
    text = None if settings is None else json.dumps(settings)
    options = dict(_SAVE_OPTIONS[kind])
    if metadata.icc_profile:
        options["icc_profile"] = metadata.icc_profile
    if kind == "PNG":
        if text is not None:
            options["pnginfo"] = PngInfo()
            options["pnginfo"].add_itxt(SETTINGS_KEY, text)
        text = None
    if kind == "TIFF":
        if text is not None:
            options["description"] = text
        text = None
    if kind != "TIFF" and (exif := fitting_exif(metadata.exif, picture.size, text, kind)):
        options["exif"] = exif
    data = io.BytesIO()
    # A picture that was turned or converted still has the metadata of its file.
    plain = picture.copy() if picture.info else picture
    plain.info = {}
    plain.save(data, kind, **options)
    return data.getvalue()


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The settings that `encode_picture` put into a file; None if it has none or cannot be read."""
    try:
        with warnings.catch_warnings(), opened_picture(path) as image:
            warnings.simplefilter("ignore")
            if image.format == "PNG":
                text = image.info.get(SETTINGS_KEY)
            elif image.format == "TIFF":
                text = image.getexif().get(_DESCRIPTION)
            else:
                comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
                text = comment.removeprefix(_ASCII).decode("ascii")
        settings = json.loads(text) if text else None
    except DAMAGE:
        return None
    return settings if isinstance(settings, dict) else None


def format_of(ending: str) -> str:
    """Pillow's name of the format; ValueError, one sentence, for an ending that is not in `ENDINGS`."""
    try:
        return ENDINGS[ending.lower()]
    except KeyError:
        raise ValueError(f"Pictures are not written as '{ending}'; choose {', '.join(ENDINGS)}.") from None


def check_size(size: tuple[int, int], ending: str) -> None:
    """Raise ValueError, one sentence, if a picture of this width and height is too large for the format."""
    kind = format_of(ending)
    if max(size) > _LONGEST_SIDE[kind]:
        raise ValueError(
            f"The picture has {size[0]} x {size[1]} pixels, and a {kind} file holds at most "
            f"{_LONGEST_SIDE[kind]} a side; choose .png."
        )


def _rgb_profile(image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    # Bytes 16 to 19 of a profile name its colours.
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None


def _exif_of(image: Image.Image) -> bytes | None:
    try:
        exif = image.getexif()
        if not exif:
            return None
        kept = Image.Exif()
        for tag, value in exif.items():
            if tag not in (_EXIF_IFD, _GPS_IFD) and (image.format != "TIFF" or tag in _ABOUT_THE_PICTURE):
                kept[tag] = value
        for ifd in (_EXIF_IFD, _GPS_IFD):
            if values := exif.get_ifd(ifd):
                kept[ifd] = {tag: value for tag, value in values.items() if tag != _INTEROP_IFD}
        if _ORIENTATION in kept:
            kept[_ORIENTATION] = 1
        return kept.tobytes()
    except DAMAGE:
        return None


def fitting_exif(exif: bytes | None, size: tuple[int, int], text: str | None, kind: str) -> bytes | None:
    """The EXIF of a file of this kind with `text` as its user comment; None if there is nothing to say."""
    attempts = [(exif, ()), (exif, (_MAKER_NOTE,)), (None, ())]
    for data, without in attempts:
        if data is None and text is None:
            return None
        written = _exif_with(data, without, size, text)
        if kind != "JPEG" or len(written) <= _LARGEST_JPEG_EXIF:
            return written
    return None


def _exif_with(
    data: bytes | None, without: tuple[int, ...], size: tuple[int, int], text: str | None
) -> bytes:
    exif = Image.Exif()
    if data is not None:
        exif.load(data)
    # A request for a missing part would make an empty one.
    found = exif.get_ifd(_EXIF_IFD) if _EXIF_IFD in exif else {}
    details = {tag: value for tag, value in found.items() if tag not in without}
    for tag, side in zip((_PIXEL_WIDTH, _PIXEL_HEIGHT), size, strict=True):
        if tag in details:
            details[tag] = side
    comment = b"" if text is None else _ASCII + text.encode("ascii")
    if comment:
        details[_USER_COMMENT] = comment
    if details:
        exif[_EXIF_IFD] = details
    # Pillow writes the type of the comment as bytes (1); EXIF readers expect the type "undefined" (7).
    order = "<" if exif.endian == "<" else ">"
    entry = struct.pack(f"{order}HHI", _USER_COMMENT, 1, len(comment))
    return exif.tobytes().replace(entry, struct.pack(f"{order}HHI", _USER_COMMENT, 7, len(comment)), 1)
