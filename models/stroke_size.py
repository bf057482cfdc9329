"""How large strokes are: the network's have one size in pixels, so it paints smaller or larger pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from ..base.choices import STROKE_SIZES, STROKES
from ..base.settings import check_choice, check_number

# A picture of this shorter side has strokes in proportion without doing anything.
_PROPORTION_SIDE = 768


def check_stroke_size(stroke_size: float) -> None:
    """Raise ValueError, one sentence, for a `stroke_size` outside 0.25..4."""
    check_number("stroke_size", stroke_size, *STROKE_SIZES)


def stroke_scale(stroke_size: float, strokes: str, size: tuple[int, int]) -> float:
    """How many times as large as the network's own the strokes of a picture of `size` (H, W) are.

    'pixels' is `stroke_size` itself. 'proportion' doubles it for a picture that is twice as large as one of
    768 pixels on its shorter side, and again for each doubling; a small picture keeps the network's strokes.
    Whole octaves, because each painting that is added costs time. Raises ValueError for other `strokes`.

    >>> [stroke_scale(1.0, "proportion", (side, side)) for side in (256, 1024, 2048, 4096)]
    [1.0, 1.0, 2.0, 4.0]
    """
    check_choice("strokes", strokes, STROKES)
    if strokes == "pixels":
        return stroke_size
    return stroke_size * 2.0 ** max(0, round(math.log2(min(size) / _PROPORTION_SIDE)))


def painted_scales(scale: float) -> list[float]:
    """The scales of the pictures to paint for strokes of that `scale`, the largest picture first.

    Broad strokes come from a small picture, enlarged. It has no fine outlines: those are of the painting of
    the picture itself, its finest octave, and likewise in between.

    >>> painted_scales(1.0), painted_scales(0.5), painted_scales(3.0)
    ([1.0], [0.5], [1.0, 2.0, 3.0])
    """
    if scale <= 1:
        return [scale]
    return [*(2.0**k for k in range(math.ceil(math.log2(scale)))), scale]


def at_scale(photo: Tensor, scale: float) -> Tensor:
    """The photo [B,3,H,W] in 0..1 at the size to paint for strokes of `scale`: [B,3,H/scale,W/scale]."""
    if scale == 1:
        return photo
    height, width = (max(1, round(side / scale)) for side in photo.shape[2:])
    return _reduced(photo, (height, width)) if scale > 1 else _enlarged(photo, (height, width)).clamp(0, 1)


def combined(paintings: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """One painting [B,3,H,W] of `size` (H, W) in 0..1 from those of `painted_scales`, in their order.

    Each gives what is finer than the next one can show (a Laplacian pyramid, Burt & Adelson 1983).
    """
    *finer, whole = paintings
    for fine in reversed(finer):
        own = (fine.shape[-2], fine.shape[-1])
        coarse = (whole.shape[-2], whole.shape[-1])
        whole = _enlarged(whole, own) + fine - _enlarged(_reduced(fine, coarse), own)
    if whole.shape[-2:] != size:
        whole = _reduced(whole, size)
    return whole if len(paintings) == 1 else whole.clamp(0, 1)


def _reduced(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)


def _enlarged(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(image, size, mode="bicubic", align_corners=False)
