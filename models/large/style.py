"""A style code from the rows of a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..grid import PixelRows
from ..style_gan import StyleGAN
from ..style_reading import STYLE_SIZE, style_reading_size

# Pixels of the picture that are resized together.
_CHUNK = 2**21


@torch.inference_mode()
def encode_large_style(
    gan: StyleGAN, pixels: PixelRows, size: tuple[int, int], stroke_size: float = 1.0
) -> Tensor:
    """`StyleGAN.encode_style` of one picture of `size` (H, W), from its rows: [1,L,D].

    Raises ValueError for a `stroke_size` outside 0.25..4.
    """
    device = next(gan.parameters()).device
    target = style_reading_size(*size, STYLE_SIZE, stroke_size)
    if target[0] > size[0] or target[1] > size[1] or target == size:
        return gan.encode_style(pixels(0, size[0]).to(device), stroke_size=stroke_size)
    return gan.encode_style(reduced(pixels, size, target, device), size=None)


def reduced(
    pixels: PixelRows, size: tuple[int, int], target: tuple[int, int], device: torch.device
) -> Tensor:
    """A picture of `size` (H, W), reduced to `target` as `F.interpolate` does with antialias: [1,3,h,w]."""
    height, width = size
    found = torch.zeros(1, 3, *target, device=device)
    chunk = max(1, _CHUNK // width)
    for start in range(0, height, chunk):
        rows = pixels(start, min(height, start + chunk)).to(device)
        count = rows.shape[2]
        narrow = _interpolated(rows, (count, target[1]))
        # What each of these rows adds to each row of the result.
        ones = torch.zeros(1, 1, height, count, device=device)
        ones[0, 0, start : start + count] = torch.eye(count, device=device)
        found += _interpolated(ones, (target[0], count))[0, 0] @ narrow
    return found


def _interpolated(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
