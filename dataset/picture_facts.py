"""Facts about one picture before training: size, tone, colour, and hashes that find its copies."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from ..base.files import sha256_of
from ..pictures.color import rgb_to_lab
from ..pictures.limits import room
from ..pictures.reading import (
    DAMAGE,
    Picture,
    PictureError,
    is_transparent,
    opened_picture,
    orientation,
    upright_rgb,
)
from ..pictures.tensors import pixels
from .perceptual_hash import PerceptualHash, near_duplicates, perceptual_hash

THUMBNAIL = 168
"""The longer side of a thumbnail in pixels."""

# Everything is measured on a copy of about this size: enough for the hash and for the thumbnail.
_MEASURED = 256
_TONES = 128


class UnreadablePictureError(Exception):
    """A file cannot be read as a picture; the message is a few words that follow its name."""


@dataclass(frozen=True)
class PictureFacts:
    """One picture, measured.

    `contrast` and `color_spread` are in units of CIE Lab, where 2 is about the least difference that
    the eye sees. `contrast` is the RMS distance of the pixels from their mean colour. `color_spread` is the
    RMS distance of their a and b from what their lightness alone predicts (linear regression): it is near 0
    for ink on any paper, a sepia photograph or an engraving, however strong the tint.
    """

    name: str
    """The path below the folder, with forward slashes; for a picture in memory, its name."""
    source: Picture = field(repr=False, compare=False)
    """The picture itself: the file, or the pixels in memory."""
    width: int
    """The width as shown, after turning the picture as its EXIF data says; `height` likewise."""
    height: int
    format: str
    """Pillow's name of the file format; 'memory' for a picture that is not a file."""
    frames: int
    """More than 1 for an animation or a file of several pages; the first one is used."""
    transparent: bool
    digest: str
    """SHA-256 of the file, or of size and pixels of a picture in memory, in hexadecimal."""
    hash: PerceptualHash | None
    contrast: float
    color_spread: float
    thumbnail: bytes = field(repr=False)
    """A JPEG, its longer side `THUMBNAIL` or less."""

    @property
    def shorter(self) -> int:
        return min(self.width, self.height)


def file_facts(path: Path, name: str) -> PictureFacts:
    """Decode the file once and measure it. Raises UnreadablePictureError."""
    try:
        with ExitStack() as held:
            with opened_picture(path) as image:
                size = image.size
                image.draft(image.mode, (_MEASURED, _MEASURED))  # JPEGs decode at a fraction of their size
                held.enter_context(room(image.width * image.height))
                image.load()
                if orientation(image) >= 5:
                    size = size[::-1]
                transparent = _has_holes(image)
                rgb = upright_rgb(image)
                kind, frames = image.format or "", _frames(image)
            digest = _digest(path)
            return _facts(rgb, name, path, size, kind, frames, transparent, digest)
    except PictureError as error:
        raise UnreadablePictureError(error.reason) from error


def pixel_facts(image: Image.Image, name: str) -> PictureFacts:
    """Measure an RGB picture that is in memory."""
    digest = hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()
    return _facts(image, name, image, image.size, "memory", 1, False, digest)


def duplicate_groups(pictures: Sequence[PictureFacts]) -> list[int]:
    """For each picture the index of the first one that it equals or nearly equals; otherwise its own.

    Blank pictures have no hash, so they are equal only byte by byte.
    """
    groups = near_duplicates([facts.hash for facts in pictures])
    first: dict[str, int] = {}
    for index, facts in enumerate(pictures):
        if facts.hash is None:
            groups[index] = first.setdefault(facts.digest, index)
    return groups


def _facts(
    rgb: Image.Image,
    name: str,
    source: Picture,
    size: tuple[int, int],
    format_: str,
    frames: int,
    transparent: bool,
    digest: str,
) -> PictureFacts:
    small = rgb.copy()
    small.thumbnail((2 * _MEASURED, 2 * _MEASURED), reducing_gap=2)
    contrast, color_spread = _tone_and_color(small)
    hash_ = perceptual_hash(small)
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=90)
    return PictureFacts(
        name,
        source,
        *size,
        format_,
        frames,
        transparent,
        digest,
        hash_,
        contrast,
        color_spread,
        file.getvalue(),
    )


def _tone_and_color(image: Image.Image) -> tuple[float, float]:
    """`contrast` and `color_spread` of `PictureFacts`, measured on a copy too small to show grain."""
    small = image.copy()
    small.thumbnail((_TONES, _TONES), Image.Resampling.BOX)
    lab = rgb_to_lab(pixels(small)[None].double() / 255)[0].flatten(1)
    lab = lab - lab.mean(1, keepdim=True)
    light, color = lab[:1], lab[1:]
    slope = (color * light).sum(1, keepdim=True) / light.square().sum().clamp_min(1e-9)
    spread = (color - slope * light).square().sum(0).mean().sqrt()
    return lab.square().sum(0).mean().sqrt().item(), spread.item()


def _frames(image: Image.Image) -> int:
    if image.format == "MPO":  # the second frame is a camera's preview or the other eye
        return 1
    try:
        return getattr(image, "n_frames", 1)
    except DAMAGE:  # the error is about the second frame; the first, which is the picture, has been read
        return 2


def _has_holes(image: Image.Image) -> bool:
    return is_transparent(image) and min(image.convert("RGBA").getchannel("A").tobytes()) < 255


def _digest(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise UnreadablePictureError(error.strerror or "it cannot be read") from error
