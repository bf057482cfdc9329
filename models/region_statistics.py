"""Statistics for several styles in one picture: each style gets those that the picture has in it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .content_encoder import ContentCode
from .devices import without_autocast
from .generator import Generator, SharesByMap
from .layer_statistics import COLORS, LayerStatistics, own_statistics, projected
from .noise import Noise
from .normalization import NORM_EPS, wide
from .passes import Frozen, Rows
from .shares import Shares
from .strips import strips

# In cells.
_LEAST_AREA = 1e-3

# A region's contrast in the picture is at most so many times that in the small copy, or so many times less:
# a few cells, or a channel that is almost constant, say little about how contrast changes with the size.
_LARGEST_GROWTH = 4.0
# The shift of a region's mean grows at most so much from one style to another.
_LARGEST_GAIN = 4.0


class RegionMoments(NamedTuple):
    """Area in cells [R], and mean and variance of every channel [R,C], of R regions: float64 on the CPU."""

    area: Tensor
    mean: Tensor
    variance: Tensor


def region_moments(
    rows: Rows, size: Sequence[int], device: torch.device, shares: Shares, strip_bytes: int | None = None
) -> RegionMoments:
    """Those of a map of `size` [1,C,H,W] whose `rows` are read in strips, each cell weighted by its `shares`.

    The map may have N x N places in each cell of the shares.
    A region with almost no area has the moments of the whole map.
    """
    pivot: Tensor | None = None
    sums: list[Tensor] = []
    with without_autocast(device):
        for strip in strips(size, device, strip_bytes):
            cells = wide(rows(strip)[0]).flatten(1).T
            # The squares of what is near 0 keep their digits.
            pivot = cells[:1].clone() if pivot is None else pivot
            cells = cells - pivot
            weights = shares.rows(strip).flatten(0, 1).to(cells).T
            found = [weights.sum(1, keepdim=True), weights @ cells, weights @ cells.square()]
            sums.append(torch.cat(found, 1).cpu().double())
    if pivot is None:
        raise ValueError(f"A map of {tuple(size)} has no cells.")
    area, total, squares = torch.stack(sums).sum(0).split([1, size[1], size[1]], 1)
    lacking = (_LEAST_AREA - area).clamp_min(0) / area.sum()
    total, squares = total + lacking * total.sum(0), squares + lacking * squares.sum(0)
    mean = total / area.clamp_min(_LEAST_AREA)
    variance = (squares / area.clamp_min(_LEAST_AREA) - mean.square()).clamp_min(0)
    return RegionMoments(area[:, 0], mean + pivot.cpu().double(), variance)


class _RegionRecorder:
    """`LayerStatistics` of one picture that keep them, and the moments of the picture's regions."""

    def __init__(self, shares: Mapping[str, Shares], statistics: LayerStatistics = own_statistics):
        """`shares` by the names of the normalisations."""
        self.moments: dict[str, RegionMoments] = {}
        self.kept: dict[str, tuple[Tensor, Tensor]] = {}
        self._shares, self._statistics = shares, statistics

    def __call__(self, layer: str, x: Tensor) -> tuple[Tensor, Tensor]:
        shares = self._shares[layer]
        rows, size = _channels(layer, x)
        self.moments[layer] = region_moments(rows, size, x.device, shares)
        self.kept[layer] = self._statistics(layer, x)
        return self.kept[layer]


class CopyMoments(NamedTuple):
    """What a small copy of a picture says about one normalisation: the moments of its S regions when it is
    painted in each of S styles alone, mean and variance [S,R,C], and when it is painted `together`."""

    mean: Tensor
    variance: Tensor
    together: RegionMoments


@dataclass(frozen=True)
class RegionStatistics:
    """`LayerStatistics` of one picture in S styles: about those that it has in each of them alone, [S,C,1,1].

    With the statistics that the picture has in all its styles together, a strong style in one place would
    change the contrast everywhere else. And with those of its own region alone, every style would stretch its
    region to the whole palette, a plain sky to a storm. What the picture would be like in style k where
    another one rules is not known in the picture itself. So a small copy is painted in each style alone, and
    in all together. How a region changes from the copy to the picture, in its own style, is how it would
    change in the others. The regions together, as they would be in style k, are a whole picture in style k.

    Equal styles give the statistics of one style, and no region is too small: each weighs as much as it
    covers.
    """

    copies: Mapping[str, CopyMoments]
    """By the names of the normalisations."""

    shares: Mapping[str, Shares]
    """Of the picture itself, by the names of the normalisations."""

    @classmethod
    @torch.no_grad()
    def from_copy(
        cls,
        generator: Generator,
        content: ContentCode,
        codes: Tensor,
        noise: Noise,
        copy_shares: SharesByMap,
        shares: SharesByMap,
    ) -> RegionStatistics:
        """`content` is that of a small copy [1,3,h,w] with the shares `copy_shares` of the S styles `codes`
        [S,L,D]; `shares` are those of the picture itself."""
        maps = generator.maps
        by_layer = {layer: copy_shares[name] for layer, name in maps.items()}
        alone = [_RegionRecorder(by_layer) for _ in codes]
        for code, recorder in zip(codes.split(1), alone, strict=True):
            generator(content, code, Frozen(recorder), noise)

        def of_styles(layer: str, x: Tensor) -> tuple[Tensor, Tensor]:
            mean, std = zip(*(recorder.kept[layer] for recorder in alone), strict=True)
            return torch.cat(mean), torch.cat(std)

        together = _RegionRecorder(by_layer, of_styles)
        generator(content, codes, Frozen(together), noise, copy_shares)
        copies = {}
        for layer in maps:
            moments = [recorder.moments[layer] for recorder in alone]
            mean, variance = (torch.stack([each[axis] for each in moments]) for axis in (1, 2))
            copies[layer] = CopyMoments(mean, variance, together.moments[layer])
        return cls(copies, {layer: shares[name] for layer, name in maps.items()})

    def __call__(self, layer: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [1,C,H,W] -> mean and deviation, [S,C,1,1] each."""
        rows, size = _channels(layer, x)
        found = region_moments(rows, size, x.device, self.shares[layer])
        return self._of(layer, found, x.device, wide(x).dtype)

    def of_rows(
        self,
        layer: str,
        rows: Rows,
        size: Sequence[int],
        device: torch.device,
        strip_bytes: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The same from the `rows` of a map of `size` [1,C,H,W]: float32 on `device`."""
        found = region_moments(rows, size, device, self.shares[layer], strip_bytes)
        return self._of(layer, found, device, torch.float32)

    def _of(
        self, layer: str, found: RegionMoments, device: torch.device, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        mean, variance = _in_each_style(found, self.copies[layer])
        both = torch.stack([mean, (variance + NORM_EPS).sqrt()]).to(dtype).to(device)
        return both[0, :, :, None, None], both[1, :, :, None, None]


def _channels(layer: str, x: Tensor) -> tuple[Rows, Sequence[int]]:
    """The rows of what a layer has statistics of, and its size."""
    if layer != COLORS:
        return lambda strip: strip.rows(x), x.shape
    batch, _, height, width = x.shape
    return lambda strip: projected(strip.rows(x)), (batch, 6, height, width)


def _in_each_style(found: RegionMoments, copy: CopyMoments) -> tuple[Tensor, Tensor]:
    """Mean and variance [S,C] of a whole picture in each of S styles, from those `found` in its regions, each
    in its own style, and from its small copy."""
    was = copy.together
    # From the copy to the picture as in the region's own style, in proportion to each style's contrast.
    gain = ((copy.variance + NORM_EPS) / (was.variance + NORM_EPS)).sqrt().clamp_max(_LARGEST_GAIN)
    growth = (found.variance + NORM_EPS) / (was.variance + NORM_EPS)
    growth = growth.clamp(_LARGEST_GROWTH**-2, _LARGEST_GROWTH**2)
    mean = copy.mean + gain * (found.mean - was.mean)
    variance = ((copy.variance + NORM_EPS) * growth - NORM_EPS).clamp_min(0)

    weight = (found.area / found.area.sum())[:, None]
    whole = (weight * mean).sum(1)
    return whole, (weight * (variance + (mean - whole[:, None]).square())).sum(1)


@dataclass(frozen=True)
class OfVisible:
    """`LayerStatistics` for those of K + 1 styles that can be seen, from statistics for all or for any."""

    statistics: LayerStatistics
    visible: Tensor

    def __call__(self, layer: str, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, std = self.statistics(layer, x)
        if len(mean) == 1:
            return mean, std
        visible = self.visible.to(mean.device)
        return mean[visible], std[visible]
