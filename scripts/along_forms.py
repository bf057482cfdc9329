"""Strokes along forms: paint goes along a contour and not across it.

A picture is averaged along the lines that its forms have at each place (line integral convolution, Cabral &
Leedom 1993; for paintings Kang & Lee 2008). Hair, folds and petals get strokes of their direction, and grain
that has none goes. Where drawing would be lost with it, as in eyes, letters and crowds, all stays as it is.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.painting.calm_grounds import blurred, plain_places, strips
from brushwork.pictures.color import luma

# Steps of a pixel on either side of a place, and how softly the places at the ends count.
_STEPS, _SOFT = 6, 3.0

# Pixels: lines are those of slopes after the first blur, and go the same way within the second.
_SLOPE, _ALIKE = 1.0, 3.0

# How much the photo has a say in where lines go. The picture's own strokes have the rest.
_PHOTO = 0.5

# Drawing is what is finer than the first, in pixels, and is seen within the second. A line keeps its strokes
# where the photo would lose less of it than the third share, and loses them at the fourth.
_FINE, _SEEN, _KEPT, _GONE = 3.0, 2.0, 0.1, 0.5

# The least energy of drawing.
_LEAST = 2e-4

# So much less on plain grounds, where lines are chance.
_ON_PLAIN = 0.6


def with_strokes_along_forms(picture: Tensor, photo: Tensor, amount: Tensor | float = 1.0) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with strokes along its forms. photo: [B,3,H,W] in 0..1, what was painted.

    amount: 0 leaves all as it is, 1 is all of it; a number or [B].
    """
    if isinstance(amount, Tensor):
        amount = amount.reshape(-1, 1, 1, 1)
    parts = []
    for above, rows, below in strips(picture.shape[2]):
        own, photos = (each[:, :, above:below] for each in (picture, photo))
        lines = _lines(torch.lerp(own, photos, _PHOTO))
        light = luma(photos)
        lost = (light - _along(light, lines)).square()
        drawn = (light - blurred(light, _FINE)).square()
        share = blurred(lost, _SEEN) / (blurred(drawn, _SEEN) + _LEAST)
        share = blurred(((_GONE - share) / (_GONE - _KEPT)).clamp(0, 1), _SEEN)
        share = amount * share * (1 - _ON_PLAIN * plain_places(photos))
        parts.append((own + share * (_along(own, lines) - own)).clamp(0, 1)[:, :, rows])
    return torch.cat(parts, 2)


def _lines(picture: Tensor) -> Tensor:
    """The direction of least change at each place of [B,3,H,W]: unit vectors [B,2,H,W], right and down."""
    padded = F.pad(blurred(picture, _SLOPE), (1, 1, 1, 1), mode="replicate")
    right = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    # The structure tensor (Förstner 1986): opposite slopes are one line.
    across, both, along = (
        blurred((one * other).sum(1, keepdim=True), _ALIKE)
        for one, other in ((right, right), (right, down), (down, down))
    )
    angle = torch.atan2(2 * both, across - along) / 2 + math.pi / 2
    return torch.cat([angle.cos(), angle.sin()], 1)


def _along(image: Tensor, lines: Tensor) -> Tensor:
    """The mean of [B,C,H,W] along lines [B,2,H,W] through each place, near places most."""
    height, width = image.shape[-2:]
    right = torch.arange(width, dtype=image.dtype, device=image.device).expand(height, width)
    down = torch.arange(height, dtype=image.dtype, device=image.device)[:, None].expand(height, width)
    found, total = image.clone(), 1.0
    for sign in (1, -1):
        place, step = torch.stack([right, down])[None], sign * lines
        for k in range(1, _STEPS + 1):
            place = place + step
            weight = math.exp(-((k / _SOFT) ** 2) / 2)
            found += weight * _sampled(image, place)
            total += weight
            # Lines have no head: go on in the direction of the last step.
            line = F.normalize(_sampled(lines, place), dim=1, eps=1e-4)
            step = line * (line * step).sum(1, keepdim=True).sign()
    return found / total


def _sampled(image: Tensor, place: Tensor) -> Tensor:
    """[B,C,H,W] at places [1 or B,2,H,W] in pixels, right and down."""
    sides = torch.tensor([image.shape[-1], image.shape[-2]], dtype=image.dtype, device=image.device)
    grid = (place.movedim(1, 3) + 0.5) * 2 / sides - 1
    grid = grid.expand(len(image), -1, -1, -1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
