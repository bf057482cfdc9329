"""Fine contrast: how strongly neighbouring pixels differ, and how a picture gets as much as paintings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .objective import Mixture

# The weights of the blur along each axis; what it takes away is fine.
_KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)

# Fine detail becomes at most twice as strong: more would enlarge noise.
_MOST = 2.0

# No pixel leaves the range of the pixels around it, so that outlines get no rims.
_AROUND = 5

_FAINTEST = 1e-8


def fine_contrast(mixtures: Sequence[Mixture]) -> Tensor:
    """The mean square of the paintings' fine detail, [1 or B,K] for K regions."""
    regions = []
    for mixture in mixtures:
        energies = [fine_detail(painting).square().mean((1, 2, 3)) for painting in mixture.paintings]
        batch = max(map(len, energies))
        weighted = [w * e.expand(batch) for w, e in zip(mixture.weights, energies, strict=True)]
        regions.append(torch.stack(weighted).sum(0))
    batch = max(map(len, regions))
    return torch.stack([each.expand(batch) for each in regions], 1)


def with_fine_contrast(picture: Tensor, wanted: Tensor, shares: Tensor | None = None) -> Tensor:
    """The picture [B,3,H,W] with fine detail as strong as `wanted` [1 or B,K]; never weaker than it is.

    shares [1 or B,K,H,W] with sums 1, or None with one region.
    """
    fine = fine_detail(picture)
    rules = picture.new_ones(1, 1, 1, 1) if shares is None else shares
    energy = (fine.square().mean(1, keepdim=True) * rules).mean((2, 3))
    area = rules.mean((2, 3)).clamp_min(1e-6)
    gain = (wanted / (energy / area).clamp_min(_FAINTEST)).sqrt().clamp(1, _MOST)
    gain = (gain[:, :, None, None] * rules).sum(1, keepdim=True)
    sharp = picture + (gain - 1) * fine
    highest = F.max_pool2d(picture, _AROUND, 1, _AROUND // 2)
    lowest = -F.max_pool2d(-picture, _AROUND, 1, _AROUND // 2)
    return torch.minimum(torch.maximum(sharp, lowest), highest)


def fine_detail(picture: Tensor) -> Tensor:
    """What a small blur takes away; borders mirrored, or repeated where the picture has a row or two."""
    kernel = picture.new_tensor(_KERNEL)
    reach = len(_KERNEL) // 2
    mode = "reflect" if min(picture.shape[-2:]) > reach else "replicate"
    padded = F.pad(picture, (reach, reach, reach, reach), mode=mode)
    channels = picture.shape[1]
    blurred = F.conv2d(padded, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return picture - F.conv2d(blurred, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
