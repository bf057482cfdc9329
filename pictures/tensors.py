"""Pillow pictures and tensors: both ways, and the middle square of a picture."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .reading import Picture, open_picture


def as_picture(image: Tensor) -> Image.Image:
    """[3,H,W] in 0..1 -> RGB."""
    pixels = image.detach().clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy()))


def to_tensor(image: Image.Image) -> Tensor:
    """PIL RGB -> uint8 [3,H,W]."""
    return torch.from_numpy(np.array(image, dtype=np.uint8)).permute(2, 0, 1)


def resize_shorter(image: Image.Image, shorter: int) -> Image.Image:
    """In proportion, so that the shorter side has `shorter` pixels."""
    scale = shorter / min(image.size)
    size = [max(shorter, round(side * scale)) for side in image.size]
    if tuple(size) == image.size:
        return image
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)


def load_square(picture: Picture, side: int) -> Tensor:
    """The middle of a picture as [1,3,side,side] in 0..1; the shorter side is brought to `side`."""
    image = resize_shorter(open_picture(picture), side)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return to_tensor(image.crop((left, top, left + side, top + side)))[None].float() / 255


def to_image(tensor: Tensor) -> Image.Image:
    """[3,H,W] in 0..1 -> PIL RGB."""
    pixels = (tensor.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels)
