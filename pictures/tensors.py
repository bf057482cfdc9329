"""Pillow pictures and tensors: both ways, and pictures read at a size."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from .reading import Picture, open_picture


def as_picture(image: Tensor) -> Image.Image:
    """[3,H,W] or [1,3,H,W], clamped to 0..1 and rounded to 8 bits -> RGB."""
    levels = image.detach().reshape(image.shape[-3:]).clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
    return Image.fromarray(np.ascontiguousarray(levels.permute(1, 2, 0).numpy()))


def as_tensor(picture: Image.Image) -> Tensor:
    """RGB -> [1,3,H,W] float32 in 0..1."""
    return pixels(picture)[None].float() / 255


def pixels(picture: Image.Image) -> Tensor:
    """RGB -> uint8 [3,H,W]: a quarter of the memory of `as_tensor`."""
    return torch.from_numpy(np.array(picture, dtype=np.uint8)).permute(2, 0, 1)


def resize_shorter(image: Image.Image, shorter: int) -> Image.Image:
    """In proportion, so that the shorter side has `shorter` pixels."""
    scale = shorter / min(image.size)
    size = max(shorter, round(image.width * scale)), max(shorter, round(image.height * scale))
    if size == image.size:
        return image
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)


def load_square(picture: Picture, side: int) -> Tensor:
    """The middle of a picture as [1,3,side,side] in 0..1; the shorter side is brought to `side`."""
    image = resize_shorter(open_picture(picture), side)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return as_tensor(image.crop((left, top, left + side, top + side)))


def load_picture(picture: Picture, shorter: int) -> Tensor:
    """The whole of a picture as [1,3,H,W] in 0..1, its shorter side enlarged or reduced to `shorter`.

    It uses Lanczos' filter, for pictures that are shown and compared at this size.
    """
    size = (shorter, shorter)
    return as_tensor(ImageOps.cover(open_picture(picture), size, Image.Resampling.LANCZOS))


def rounded(image: Tensor) -> Tensor:
    """An image of any shape as a file of 8 bits holds it: clamped to 0..1 and rounded."""
    return (image.clamp(0, 1) * 255).round() / 255
