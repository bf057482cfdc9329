"""Statistics that normalisations ask for by the names of their layers, and those of a picture's colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .normalization import NORM_EPS, channel_mean_std_in_strips, wide
from .strips import strips

LayerStatistics = Callable[[str, Tensor], tuple[Tensor, Tensor]]
"""A function that gives the normalisation of a layer its mean and deviation: it takes the layer's name and
its input [B,C,H,W] and returns two [B or 1,C,1,1]. The input of the layer `COLORS` is a picture [B,3,H,W],
and its statistics are those of six `projected` channels. `own_statistics` is one of these functions;
`models/video/norm_statistics.py` has others, which were kept from other pictures."""

COLORS = "generator.colors"
"""The name of the normalisation of a picture's colours (`models/coded_colors.py`)."""

# After so many rounds the signs of all eigenvalues are known that are no rounding errors.
_ROUNDS = 20


def own_statistics(layer: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """`LayerStatistics` that each picture has itself."""
    if layer != COLORS:
        return channel_mean_std_in_strips(x)
    total = ColorSums()
    for strip in strips(x.shape, x.device):
        total.add(strip.rows(x))
    return total.statistics()


class ColorMoments(NamedTuple):
    """Mean colours [B,3] and covariances [B,3,3]."""

    mean: Tensor
    covariance: Tensor

    @classmethod
    def of_projections(cls, mean: Tensor, std: Tensor) -> ColorMoments:
        """From mean and deviation [B,6,1,1] of what is `projected`.

        Where the six are not those of one picture, they may contradict each other; the covariance has no
        negative eigenvalue nevertheless.
        """
        variance = std[:, :, 0, 0].square() - NORM_EPS
        own, sums = variance.split(3, 1)
        # Of red and green, green and blue, blue and red.
        shared = (sums - own - own.roll(-1, 1)) / 2
        covariance = torch.stack([own, shared], 2).flatten(1)[:, _SQUARE].unflatten(1, (3, 3))
        return cls(mean[:, :3, 0, 0], positive_part(covariance))


# Where a covariance finds its nine numbers in: red, red-green, green, green-blue, blue, blue-red.
_SQUARE = [0, 1, 5, 1, 2, 3, 5, 3, 4]


def projected(rows: Tensor) -> Tensor:
    """[B,3,H,W] -> [B,6,H,W]: the three colours, and the sum of each with the next one.

    The variances of these six say what the covariance is. So statistics that know channels one by one, such
    as those of several frames or regions, know it, too.
    """
    return torch.cat([rows, rows + rows.roll(-1, 1)], 1)


class ColorSums:
    """The statistics of the colours of pictures that are seen strip by strip."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: Tensor | None = None

    def add(self, rows: Tensor) -> None:
        """rows [B,3,rows,W]."""
        # About mid-grey, so that squares keep their digits.
        colors = wide(rows).permute(0, 2, 3, 1).reshape(len(rows), -1, 3) - 0.5
        found = torch.cat([colors.sum(1, keepdim=True), colors.transpose(1, 2) @ colors], 1)
        self._sums = found if self._sums is None else self._sums + found
        self._count += colors.shape[1]

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of what is `projected`, [B,6,1,1] each.

        Raises ValueError if nothing was added.
        """
        if self._sums is None:
            raise ValueError("There are no rows, so there are no colours.")
        mean, square = (self._sums / self._count).split([1, 3], 1)
        covariance = square - mean.transpose(1, 2) @ mean
        own = covariance.diagonal(dim1=1, dim2=2)
        shared = torch.stack([covariance[:, 0, 1], covariance[:, 1, 2], covariance[:, 2, 0]], 1)
        variance = torch.cat([own, own + own.roll(-1, 1) + 2 * shared], 1)
        mean = mean[:, 0] + 0.5
        both = torch.cat([mean, mean + mean.roll(-1, 1)], 1), (variance.clamp_min(0) + NORM_EPS).sqrt()
        return both[0][:, :, None, None], both[1][:, :, None, None]


def positive_part(matrices: Tensor) -> Tensor:
    """Symmetric matrices [B,3,3] without their parts of negative eigenvalues: (M + M sign(M)) / 2.

    The sign by Newton's and Schulz' rounds of products (Higham 2008, equation 5.22): a GPU need not wait.
    """
    size = matrices.square().sum((1, 2), keepdim=True).sqrt().clamp_min(1e-12)
    sign = matrices / size
    for _ in range(_ROUNDS):
        sign = (3 * sign - sign @ sign @ sign) / 2
    return (matrices + matrices @ sign) / 2
