"""Pillow pictures and tensors: both ways, and pictures read at a size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from .limits import max_pixels
from .reading import Picture, open_picture


def as_picture(image: Tensor) -> Image.Image:
    """[3,H,W] or [1,3,H,W], clamped to 0..1 and rounded to 8 bits -> RGB."""
    return picture_of(levels_of(image))


def levels_of(image: Tensor) -> Tensor:
    """[3,H,W] or [1,3,H,W], clamped to 0..1 and rounded -> uint8 [3,H,W] on the same device."""
    return image.detach().reshape(image.shape[-3:]).clamp(0, 1).mul(255).round().to(torch.uint8)


def picture_of(levels: Tensor) -> Image.Image:
    """uint8 [3,H,W] on any device -> RGB."""
    return Image.fromarray(np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy()))


# Rows that are turned into floats at once.
_ROWS = 256

# A picture that is longer than this many times its width is cropped before it is brought to a size.
_LONG = 8


def as_tensor(picture: Image.Image) -> Tensor:
    """RGB -> [1,3,H,W] float32 in 0..1. It needs no further memory than the result.

    It runs in threads beside the one that paints, and so without PyTorch's operations: their OpenMP threads
    would be more than cores, and OpenMP then lets those that paint sleep at every turn (docs/history.md).
    """
    image = np.empty((picture.height, picture.width, 3), dtype=np.float32)
    for top in range(0, picture.height, _ROWS):
        strip = picture.crop((0, top, picture.width, min(top + _ROWS, picture.height)))
        np.divide(np.array(strip, dtype=np.uint8), np.float32(255), out=image[top : top + _ROWS])
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def pixels(picture: Image.Image) -> Tensor:
    """RGB -> uint8 [3,H,W]: a quarter of the memory of `as_tensor`."""
    return torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1)


def size_of_shorter(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """Width and height in proportion to `size`, the shorter one `shorter`."""
    scale = shorter / min(size)
    return max(shorter, round(size[0] * scale)), max(shorter, round(size[1] * scale))


def resize_shorter(image: Image.Image, shorter: int) -> Image.Image:
    """In proportion, so that the shorter side has `shorter` pixels.

    Raises ValueError, one sentence, for a picture so long that the result would be larger than
    `limits.max_pixels`.
    """
    size = size_of_shorter(image.size, shorter)
    if size == image.size:
        return image
    _check_enlarged(image.size, size, shorter)
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)


def crop_of_shorter(image: Image.Image, shorter: int, left: int, top: int, side: int) -> Image.Image:
    """The square at (left, top) of `resize_shorter`'s picture; a long picture is not resized whole."""
    if max(image.size) <= _LONG * min(image.size):
        return resize_shorter(image, shorter).crop((left, top, left + side, top + side))
    # Not as above for all: runs that are resumed must see the same pixels.
    width, height = size_of_shorter(image.size, shorter)
    across, down = image.width / width, image.height / height
    box = (
        left * across,
        top * down,
        min((left + side) * across, image.width),
        min((top + side) * down, image.height),
    )
    return image.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=2)


def load_square(picture: Picture, side: int) -> Tensor:
    """The middle of a picture as [1,3,side,side] in 0..1; the shorter side is brought to `side`."""
    image = open_picture(picture)
    width, height = size_of_shorter(image.size, side)
    return as_tensor(crop_of_shorter(image, side, (width - side) // 2, (height - side) // 2, side))


def load_picture(picture: Picture, shorter: int) -> Tensor:
    """The whole of a picture as [1,3,H,W] in 0..1, its shorter side enlarged or reduced to `shorter`.

    It uses Lanczos' filter, for pictures that are shown and compared at this size. Errors as in
    `resize_shorter`.
    """
    image = open_picture(picture)
    _check_enlarged(image.size, size_of_shorter(image.size, shorter), shorter)
    return as_tensor(ImageOps.cover(image, (shorter, shorter), Image.Resampling.LANCZOS))


def _check_enlarged(size: tuple[int, int], wanted: tuple[int, int], shorter: int) -> None:
    if wanted[0] * wanted[1] > max(max_pixels(), size[0] * size[1]):
        raise ValueError(
            f"A picture of {size[0]} x {size[1]} pixels is too long for a shorter side of {shorter}: it "
            f"would have {wanted[0]} x {wanted[1]} pixels; crop it."
        )


def rounded(image: Tensor) -> Tensor:
    """An image of any shape as a file of 8 bits holds it: clamped to 0..1 and rounded."""
    return (image.clamp(0, 1) * 255).round() / 255
