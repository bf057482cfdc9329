"""The colours of a painting by its style code, and how a picture gets them: mean and covariance.

A generator that normalises every map knows little of how light or how blue a whole picture comes out. So its
picture goes through one last normalisation, that of the three colours themselves: whitening and colouring (Li
et al. 2017) by the linear map that moves colours least (Monge-Kantorovich; Pitié & Kokaram 2007). The style
code says what they become.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .devices import in_float64, own_defaults, without_autocast
from .layer_statistics import COLORS, ColorMoments, positive_part
from .passes import ForwardPass, Frozen
from .perception.statistics import color_moments
from .shares import Shares
from .strips import Strip, strips
from .style_space import cluster

# What a style code says about colours: their mean, and the six numbers of the root of their covariance.
COLOR_NUMBERS = 9

# Contrast grows at most so many times, in any direction of colour and in light: a plain sky with a boat in it
# has little, and would become a storm. Of 60 pairs, 11 ask for more in colour, and 5 in light.
_LARGEST_GAIN, _LARGEST_IN_LIGHT = 1.6, 1.2
# The variance that counts as noise, that of a deviation of one per cent.
_NOISE = 1e-4
# The part of a covariance that is rounded away.
_ROUNDING = 1e-6
# The roots of covariances with this noise settle in so many rounds. More would enlarge rounding errors: an
# eigenvalue that is a little less than 0 grows 2.25 times in each.
_ROUNDS = 15

# How much a map from codes to colours is held back (ridge regression).
_RIDGE = 1.0
# Paintings fall into so many groups of like ones, and the least share of the differences that the map must
# explain in a group that took no part. Of 1170 paintings it explains 0.999, of 150 0.98, of 80 0.93. Of 12 in
# 72 versions it is 0.84, although it would be 0.99 of single ones: a copy tells the colours of its twin.
_GROUPS = 5
_FEWEST = 40
_LEAST_EXPLAINED = 0.95


class ColorChange(NamedTuple):
    """For each of S styles or pictures: colours times `factor` [S,3,3], plus `offset` [S,1,3]."""

    factor: Tensor
    offset: Tensor

    @classmethod
    def between(cls, own: ColorMoments, wanted: ColorMoments) -> ColorChange:
        """That gives pictures with the moments `own` those that are `wanted`, in as many as both make.

        A = X^-1/2 (X^1/2 W X^1/2)^1/2 X^-1/2, X what the pictures have and W what they get. The means become
        those that are wanted. Contrast grows about 1.6 times at most, that of greys 1.2 times: a picture that
        has much less gets only a part of it.
        """
        mean, spread = (in_float64(each) for each in own)
        wanted_mean, goal = (in_float64(each) for each in wanted)
        one = torch.eye(3, dtype=spread.dtype, device=spread.device)
        # In float32 a covariance of two colours has an eigenvalue a little below 0, and no root.
        goal = goal + _ROUNDING * goal.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] * one
        root, back = _roots(spread + _NOISE * one)
        inner, _ = _roots(root @ goal @ root)
        factor = _LARGEST_GAIN * one - positive_part(_LARGEST_GAIN * one - back @ inner @ back)
        # Less of the direction of grey on both sides, so that the map stays symmetric and mirrors nothing.
        in_light = factor.sum((1, 2), keepdim=True) / 3
        kept = (_LARGEST_IN_LIGHT / in_light.clamp_min(_LARGEST_IN_LIGHT)).sqrt()
        less = one - (1 - kept) / 3
        factor = less @ factor @ less
        # Moments that no picture has leave the contrast as it is.
        factor = torch.where(torch.isfinite(factor).all((1, 2))[:, None, None], factor, one)
        offset = wanted_mean[:, None] - mean[:, None] @ factor
        dtype, device = own.mean.dtype, own.mean.device
        return cls(factor.to(dtype).to(device), offset.to(dtype).to(device))

    def applied(self, picture: Tensor, shares: Shares | None, strip: Strip) -> Tensor:
        """The rows [B,3,rows,W] of a picture that lie in `strip`, changed.

        With `shares`, which may be those of larger cells, each place of one picture is changed as much for
        each style as it has a share in it.
        """
        batch, _, height, width = picture.shape
        colors = picture.permute(0, 2, 3, 1).reshape(batch, -1, 3)
        if shares is None:
            count = max(batch, len(self.factor))
            parts = (each.expand(count, -1, -1) for each in (self.offset, colors, self.factor))
            return torch.baddbmm(*parts).view(count, height, width, 3).permute(0, 3, 1, 2)
        changed = torch.zeros_like(colors)
        for weight, factor, offset in zip(shares.smooth(strip), self.factor, self.offset, strict=True):
            changed += weight.reshape(1, -1, 1) * (colors @ factor + offset)
        return changed.view(1, height, width, 3).permute(0, 3, 1, 2)


def recolored(
    picture: Tensor, wanted: ColorMoments, how: ForwardPass, shares: Shares | None = None
) -> Tensor:
    """The picture [B,3,H,W], around 0..1, with the colours that are `wanted`; in place in a frozen pass.

    With `shares`, one picture is in S styles, and `wanted` has the colours of each.
    """
    with without_autocast(picture.device):
        if not isinstance(how, Frozen):
            own = ColorMoments(*color_moments(picture))
            return ColorChange.between(own, wanted).applied(picture, None, Strip.whole(picture.shape[2]))
        own = ColorMoments.of_projections(*how.statistics(COLORS, picture))
        change = ColorChange.between(own, wanted)
        for strip in strips(picture.shape, picture.device):
            rows = strip.rows(picture)
            rows.copy_(change.applied(rows, shares, strip))
    return picture


def _roots(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """The roots of symmetric matrices [B,3,3] without negative eigenvalues, and the inverse of these.

    Newton's method as Schulz wrote it for a matrix and its inverse (Higham 2008, equation 6.35). It has only
    products: a GPU need not wait for it, and gradients pass where two eigenvalues are equal.
    """
    size = matrices.diagonal(dim1=1, dim2=2).sum(1).clamp_min(1e-12)[:, None, None]
    three = 3 * torch.eye(3, dtype=matrices.dtype, device=matrices.device)
    root, inverse = matrices / size, three / 3
    for _ in range(_ROUNDS):
        step = (three - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    return root * size.sqrt(), inverse / size.sqrt()


class CodedColors(nn.Module):
    """A linear map from style codes [B,L,D] to the moments of the paintings' colours.

    It reads the last layer of a code, which sets the palette. So a style with this layer of one painting and
    all others of another has the colours of the first and the strokes of the second.
    """

    def __init__(self, code_dim: int):
        """As long as it is not fitted, every painting is grey."""
        super().__init__()
        self.register_buffer("weight", torch.zeros(COLOR_NUMBERS, code_dim))
        self.register_buffer("bias", torch.full((COLOR_NUMBERS,), 0.5))

    weight: Tensor
    bias: Tensor

    def forward(self, code: Tensor) -> ColorMoments:
        with without_autocast(code.device):
            numbers = nn.functional.linear(code[:, -1], self.weight, self.bias)
        mean, root = numbers[:, :3], numbers[:, _SQUARE].unflatten(1, (3, 3))
        # A map goes on in straight lines; colours end at 0 and 1.
        return ColorMoments(mean.clamp(0, 1), root @ root)

    @classmethod
    @own_defaults()
    def fit(cls, codes: Tensor, moments: ColorMoments) -> CodedColors | None:
        """The map from the style codes [N,L,D] of N paintings to their moments; None if these say too little
        about the colours of other paintings.

        Ridge regression (Hoerl & Kennard 1970) in its dual form: there may be more numbers in a code than
        paintings.
        """
        if len(codes) < _FEWEST:
            return None
        values, vectors = torch.linalg.eigh(in_float64(moments.covariance))
        root = (vectors * values.clamp_min(0).sqrt()[:, None]) @ vectors.mT
        rows, columns = torch.triu_indices(3, 3)
        wanted = torch.cat([in_float64(moments.mean), root[:, rows, columns]], 1)
        flat = in_float64(codes[:, -1])
        center, spread = flat.mean(0), flat.std(0, correction=0) + 1e-6
        features = (flat - center) / spread
        # What is not a number is not enough.
        if not _explained(features, wanted) >= _LEAST_EXPLAINED:
            return None
        solved = _ridge(features)
        weights, constant = (solved @ wanted).split([len(flat), 1])
        found = cls(codes.shape[2])
        found.weight.copy_(((features.T @ weights) / spread[:, None]).T)
        found.bias.copy_(constant[0] - found.weight.double() @ center)
        return found


def _ridge(features: Tensor) -> Tensor:
    """Of N samples [N,P]: what turns values into weights of the samples and, last, a constant, [N + 1,N]."""
    kernel = features @ features.T
    count = len(kernel)
    system = kernel.new_ones(count + 1, count + 1)
    system[:count, :count] = kernel + _RIDGE * torch.eye(count).to(kernel)
    system[count, count] = 0
    solved: Tensor = torch.linalg.inv(system)[:, :count]
    return solved


def _explained(features: Tensor, wanted: Tensor) -> float:
    """The share of the differences in `wanted` [N,V] that follows from features [N,P] in groups of like ones
    that took no part in the map.

    What a map misses that is fitted without a group follows from that which is fitted to all (Cawley & Talbot
    2007).
    """
    solved = _ridge(features)
    weights = solved[:-1] @ wanted
    _, groups = cluster(features, _GROUPS)
    missed, apart = [], []
    for group in groups.unique():
        own = groups == group
        if bool(own.all()):
            return 0.0
        missed.append(torch.linalg.solve(solved[:-1][own][:, own], weights[own]))
        apart.append(wanted[own] - wanted[~own].mean(0))
    errors, differences = (torch.cat(each).square().sum() for each in (missed, apart))
    return 1 - float(errors / differences.clamp_min(1e-12))


# Where the six numbers of a symmetric matrix lie in its nine.
_SQUARE = [3, 4, 5, 4, 6, 7, 5, 7, 8]
