"""How large a style picture is when its style is read."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ..base.excerpt import value_excerpt
from ..base.settings import is_whole
from .stroke_size import check_stroke_size

# A style picture's shorter side is reduced to this many pixels before it is encoded. Strokes keep the size
# they were learned at, and a 50-megapixel scan costs no more than a postcard.
STYLE_SIZE = 512


def style_reading_size(
    height: int, width: int, size: int | None = STYLE_SIZE, stroke_size: float = 1.0
) -> tuple[int, int]:
    """Height and width in pixels at which a style picture is read.

    A picture whose shorter side exceeds `size` is first reduced to it (None: it stays as it is). Then
    both sides are multiplied by `stroke_size`. The picture is resized once, not in two steps.
    Raises ValueError for a `stroke_size` outside 0.25..4.

    >>> style_reading_size(1024, 2048), style_reading_size(1024, 2048, stroke_size=2.0)
    ((512, 1024), (1024, 2048))
    """
    check_stroke_size(stroke_size)
    shorter = min(height, width)
    scale = float(stroke_size) * (size / shorter if size is not None and shorter > size else 1.0)
    return max(1, round(height * scale)), max(1, round(width * scale))


def at_reading_size(image: Tensor, size: int | None, stroke_size: float) -> Tensor:
    """A style picture [B,3,h,w] in 0..1, resized to `style_reading_size`.

    Raises ValueError, one sentence, for a `size` below 1 or a `stroke_size` outside 0.25..4.
    """
    if size is not None and not (is_whole(size) and size >= 1):
        raise ValueError(f"size is {value_excerpt(size)}; give a whole number of pixels, or None.")
    height, width = image.shape[-2:]
    target = style_reading_size(height, width, size, stroke_size)
    if target[0] > height or target[1] > width:
        return F.interpolate(image, target, mode="bicubic", align_corners=False).clamp(0, 1)
    if target != (height, width):
        return F.interpolate(image, target, mode="bilinear", antialias=True, align_corners=False)
    return image
