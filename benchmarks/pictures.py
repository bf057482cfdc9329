"""Pictures in and out of tensors, as the benchmarks need them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps
from torch import Tensor

from brushwork.pictures.tensors import as_tensor


def load_picture(path: Path, shorter: int) -> Tensor:
    """A file as [1,3,H,W] in 0..1, in proportion, its shorter side enlarged or reduced to `shorter`."""
    with Image.open(path) as file:
        picture = ImageOps.exif_transpose(file).convert("RGB")
    scale = shorter / min(picture.size)
    size = [max(shorter, round(side * scale)) for side in picture.size]
    return as_tensor(picture.resize(size, Image.Resampling.LANCZOS))


def rounded(image: Tensor) -> Tensor:
    """What a saved file would hold: clamped to 0..1 and rounded to 8 bits."""
    return (image.clamp(0, 1) * 255).round() / 255
