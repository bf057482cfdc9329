"""Thumbnails of styles: a demo photo painted in the style, as a small JPEG."""

from __future__ import annotations

import io
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from ..base.settings import check_type
from ..base.shipped import THUMBNAIL_PHOTO
from ..pictures.reading import DAMAGE, whole_pictures
from ..pictures.tensors import as_picture, as_tensor
from ..pictures.values import check_floating
from .devices import own_defaults
from .style_gan import StyleGAN

THUMBNAIL_SIZE = 160
# Painted larger than shown: at 160 pixels strokes would be as coarse as windows.
PAINTED_SIZE = 256
LARGEST_THUMBNAIL = 512
# With the code, a style file then has 13 kB at most. Only pictures like noise do not fit.
_WANTED_BYTES = 5450
_QUALITIES = range(88, 24, -3)


@own_defaults()
def paint_thumbnail(gan: StyleGAN, code: Tensor) -> Image.Image:
    """The style `code` [L,D] or [1,L,D] shown on a photo that ships with Brushwork, 160 x 160 pixels.

    Raises ValueError for a code of another network's shape.
    """
    check_type("gan", gan, StyleGAN)
    device = next(gan.parameters()).device
    code = check_floating(code, "The style code", ending="").to(device)
    with torch.no_grad():
        content = gan.encode_content(_demo_photo().to(device))
        painted = gan.generate(content, code[None] if code.dim() == 2 else code)[0]
    picture = as_picture(painted)
    return picture.resize((THUMBNAIL_SIZE, THUMBNAIL_SIZE), Image.Resampling.LANCZOS)


def encode_thumbnail(picture: Image.Image) -> bytes:
    """`picture` as a JPEG, its longer side at most 160 pixels: about 5 kB, up to 12 kB for noise."""
    small = picture.convert("RGB")
    small.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE), Image.Resampling.LANCZOS, reducing_gap=None)
    buffer = io.BytesIO()
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() <= _WANTED_BYTES:
            break
    return buffer.getvalue()


def decode_thumbnail(data: bytes) -> Image.Image:
    """The JPEG `data` as RGB.

    Raises ValueError if it is not a whole JPEG of at most 512 pixels a side.
    """
    try:
        with whole_pictures(), Image.open(io.BytesIO(data), formats=["JPEG"]) as file:
            # The header says the size before memory is taken for the pixels.
            size = file.size
            picture = file.convert("RGB") if max(size) <= LARGEST_THUMBNAIL else None
    except DAMAGE as error:
        raise ValueError("its thumbnail is not a JPEG that can be read") from error
    if picture is None:
        raise ValueError(
            f"its thumbnail is {size[0]} x {size[1]} pixels, and {LARGEST_THUMBNAIL} are allowed"
        )
    return picture


@lru_cache(maxsize=1)
def _demo_photo() -> Tensor:
    """[1,3,256,256]: the middle of the photo."""
    with Image.open(THUMBNAIL_PHOTO) as file:
        picture = file.convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.resize(
        (PAINTED_SIZE, PAINTED_SIZE), Image.Resampling.LANCZOS, (left, top, left + side, top + side)
    )
    return as_tensor(square)
