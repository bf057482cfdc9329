"""Fine detail of the first picture, for what no painting has: eyes, letters, faces in a crowd.

Every place takes after a place of the paintings, and where these have nothing like it, small things go. Some
of what the network painted there comes back. On plain grounds nothing does: there, strokes are all.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .calm_grounds import blurred, plain_places, strips

# Pixels. Detail is what is finer.
_FINE = 3.0


def with_first_detail(picture: Tensor, first: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with a share of `first`'s fine detail in place of its own.

    first, photo: [B,3,H,W] in 0..1; where the photo is plain, the picture stays as it is. amount: 0 leaves
    all as it is, 1 takes all fine detail from `first`.
    """
    parts = []
    for above, rows, below in strips(picture.shape[2]):
        part = (..., slice(above, below), slice(None))
        change = first[part] - picture[part]
        change = change.sub_(blurred(change, _FINE)).mul_(1 - plain_places(photo[part]))
        parts.append(torch.add(picture[part], change, alpha=amount)[:, :, rows].clamp_(0, 1))
    return torch.cat(parts, 2)
