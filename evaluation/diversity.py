"""How unlike each other pictures are in style."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..models.perception.vgg import STYLE_LAYERS


def style_spread(moments: Sequence[dict[str, Tensor]]) -> float:
    """Mean style distance between all pairs of two or more pictures; 0 where all are alike.

    Each entry holds a picture's `mean_std` [1,2,C] by layer. The distance of two pictures is
    1/4 sum_l |m_l - n_l|^2 / ((|m_l|^2 + |n_l|^2) / 2): the mean/std style loss, made symmetric.
    """
    first, second = torch.triu_indices(len(moments), len(moments), offset=1)
    spread = 0.0
    for name in STYLE_LAYERS:
        rows = torch.cat([entry[name].flatten(1).cpu() for entry in moments]).double()
        # Not by products of matrices, as for many rows: pictures that are alike would be a little apart.
        apart = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist").square()
        length = rows.square().sum(1)
        mean_length = (length[:, None] + length[None]) / 2
        spread += (apart / mean_length)[first, second].mean().item() / len(STYLE_LAYERS)
    return spread
