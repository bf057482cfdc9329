"""Pictures in and out of tensors, as the benchmarks need them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor


def load_picture(path: Path, shorter: int) -> Tensor:
    """A file as [1,3,H,W] in 0..1, in proportion, its shorter side enlarged or reduced to `shorter`."""
    with Image.open(path) as file:
        picture = ImageOps.exif_transpose(file).convert("RGB")
    scale = shorter / min(picture.size)
    size = [max(shorter, round(side * scale)) for side in picture.size]
    return to_tensor(picture.resize(size, Image.Resampling.LANCZOS))


def to_tensor(picture: Image.Image) -> Tensor:
    """RGB picture -> [1,3,H,W] in 0..1."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


def to_picture(image: Tensor) -> Image.Image:
    """[1,3,H,W] -> RGB picture; values are clamped to 0..1 and rounded to 8 bits."""
    levels = (image[0].clamp(0, 1) * 255).round().to("cpu", torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())


def rounded(image: Tensor) -> Tensor:
    """What a saved file would hold: clamped to 0..1 and rounded to 8 bits."""
    return (image.clamp(0, 1) * 255).round() / 255
