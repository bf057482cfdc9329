"""What comes back of the first picture where every place took after a place of the paintings.

Where the paintings have nothing like a place, small things go: eyes, letters, faces in a crowd. Their nearest
places also part smooth shades into two colours with an edge between, and turn what is dark to black. So the
network's fine detail comes back, and its light, dark and colours in masses. What lies between, the strokes,
is the paintings'.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..pictures.color import luma
from .calm_grounds import blurred, plain_places, strips

# Pixels. Detail is what is finer.
_FINE = 2.0

# On plain grounds, this share of the detail that comes back elsewhere: grain of the paper stays in part.
_FINE_ON_PLAIN = 0.5

# Masses are what is wider than so many pixels of a picture with this mean side; of larger pictures, more.
_MASS, _MASS_SIDE = 8.0, 512

# How much of the masses comes back on plain grounds, and elsewhere of light and dark and of colours. The
# network's own colours are blotched at times, and the paintings' are not.
_PLAIN, _LIGHT, _COLORS = 0.8, 0.5, 0.3


def with_first_detail(picture: Tensor, first: Tensor, photo: Tensor, amount: Tensor | float) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with a share of `first`'s fine detail in place of its own.

    first, photo: [B,3,H,W] in 0..1; where the photo is plain, half of that share. amount: 0 leaves all as it
    is, 1 takes all fine detail from `first`; a number or [B].
    """
    if isinstance(amount, Tensor):
        amount = amount.reshape(-1, 1, 1, 1)
    parts = []
    for above, rows, below in strips(picture.shape[2]):
        part = (..., slice(above, below), slice(None))
        change = first[part] - picture[part]
        share = 1 - (1 - _FINE_ON_PLAIN) * plain_places(photo[part])
        change = share * (change - blurred(change, _FINE))
        parts.append((picture[part] + amount * change)[:, :, rows].clamp_(0, 1))
    return torch.cat(parts, 2)


def with_first_masses(picture: Tensor, first: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with light, dark and colours of `first` in masses.

    first, photo: [B,3,H,W] in 0..1; colours come back on plain grounds most. amount: 0 leaves all as it is,
    1 is all of it.
    """
    height, width = picture.shape[-2:]
    times = max(1, round(math.sqrt(height * width) / _MASS_SIDE))
    # A large picture's masses are found in a smaller one; the last cells are parts.
    change = F.pad(first - picture, (0, -width % times, 0, -height % times), mode="replicate")
    low = blurred(F.avg_pool2d(change, times), _MASS)
    low = F.interpolate(low, scale_factor=times, mode="bilinear")[..., :height, :width]
    parts = []
    for above, rows, below in strips(height):
        part = (..., slice(above, below), slice(None))
        light, plain = luma(low[part]), plain_places(photo[part])
        of_light, of_colors = (share + (_PLAIN - share) * plain for share in (_LIGHT, _COLORS))
        change = of_light * light + of_colors * (low[part] - light)
        parts.append(torch.add(picture[part], change, alpha=amount)[:, :, rows].clamp_(0, 1))
    return torch.cat(parts, 2)
