"""Targets of the losses: the loss network computes them once per kept crop, then they are kept."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.perception.pixel_losses import plain_steps
from ..models.perception.statistics import (
    SIZES,
    StyleStatistics,
    normalized,
    sized_pictures,
    style_statistics,
)
from ..models.perception.vgg import CONTENT_LAYER, STYLE_LAYERS, LossNetwork
from .crop_pool import CropPool

STYLE_CHANNELS = (64, 128, 256, 512)

# Targets are computed for this many pixels at a time: 16 crops of 384 px.
FILL_PIXELS = 16 * 384**2


def content_target(network: LossNetwork, image: Tensor) -> Tensor:
    """image [B,3,H,W] -> instance-normalised relu4_1, flat [B,512*H/8*W/8], bfloat16."""
    return normalized(network(image)[CONTENT_LAYER]).flatten(1).bfloat16()


@dataclass(frozen=True)
class StyleTarget:
    """What the losses compare pictures with, of B paintings."""

    statistics: dict[str, StyleStatistics]
    """Gram matrices [B,C,C] and `mean_std` [B,2,C] by layer, float32, by the name of the size."""
    plain: list[tuple[Tensor, Tensor]]
    """`plain_steps` of the paintings."""


def style_target(network: LossNetwork, image: Tensor, sizes: Sequence[str] = SIZES) -> Tensor:
    """image [B,3,h,w] -> its statistics at the `sizes` and its `plain_steps`, flat [B,K], bfloat16.

    A size takes 0.35 MB a picture: of every layer the upper triangle of the Gram matrix, then mean and
    deviation. The rounding (0.4 %) is much smaller than any error of the network.
    """
    parts = []
    for name, picture in zip(SIZES, sized_pictures(image), strict=True):
        if name not in sizes:
            continue
        grams, moments = style_statistics(network(picture))
        for layer, channels in zip(STYLE_LAYERS, STYLE_CHANNELS, strict=True):
            rows, columns = torch.triu_indices(channels, channels, device=image.device)
            parts += [grams[layer][:, rows, columns], moments[layer].flatten(1)]
    parts += [torch.stack(pair, 1) for pair in plain_steps(image)]
    return torch.cat(parts, 1).bfloat16()


def unpack_style_target(flat: Tensor, sizes: Sequence[str] = SIZES) -> StyleTarget:
    """The inverse of `style_target`."""
    lengths = [length for c in STYLE_CHANNELS for length in (c * (c + 1) // 2, 2 * c)]
    statistics = {}
    for name in sizes:
        *parts, flat = torch.split(flat, [*lengths, flat.shape[1] - sum(lengths)], 1)
        grams, moments = {}, {}
        for layer, channels, gram, moment in zip(
            STYLE_LAYERS, STYLE_CHANNELS, parts[::2], parts[1::2], strict=True
        ):
            both_halves = gram.index_select(1, _places_in_triangle(channels, flat.device))
            grams[layer] = both_halves.float().view(-1, channels, channels)
            moments[layer] = moment.float().view(-1, 2, channels)
        statistics[name] = grams, moments
    plain = flat.float().view(len(flat), -1, 2)
    return StyleTarget(statistics, [(plain[:, i, 0], plain[:, i, 1]) for i in range(plain.shape[1])])


@functools.cache
def _places_in_triangle(channels: int, device: torch.device) -> Tensor:
    """For every entry of a symmetric matrix, row by row, its place in the upper triangle: [C*C]."""
    rows, columns = torch.triu_indices(channels, channels, device=device)
    places = torch.empty(channels, channels, dtype=torch.long, device=device)
    places[rows, columns] = places[columns, rows] = torch.arange(len(rows), device=device)
    return places.flatten()


class TargetCache:
    """`compute` of the crops of a pool, kept on `device` up to `limit` bytes.

    `fill` computes them in batches that depend on the pool alone; those still missing are computed one at a
    time. If a target depended on the others in a training batch, a resumed run would differ in the last bit.
    """

    def __init__(
        self, pool: CropPool, compute: Callable[[Tensor], Tensor], device: torch.device, limit: float
    ):
        self.pool, self.compute, self.device = pool, compute, device
        self.limit = limit
        self.kept: Tensor | None = None
        self.known = torch.zeros(len(pool), dtype=torch.bool)

    @torch.no_grad()
    def fill(self) -> int:
        """Compute the targets of as many crops as `limit` allows; returns their number."""
        at_a_time = max(1, FILL_PIXELS // self.pool.crops[0, 0].numel())
        for items in torch.arange(len(self.pool)).split(at_a_time):
            targets = self.compute(self.pool.batch(items, self.device))
            kept = self._room(targets[0])
            fitting = items[items < len(kept)]
            kept[fitting.to(self.device)] = targets[: len(fitting)]
            self.known[fitting] = True
            if len(fitting) < len(items):
                break
        return int(self.known.sum())

    @torch.no_grad()
    def batch(self, indices: Tensor) -> Tensor:
        """Targets [B,K] of the crops `indices`."""
        if self.kept is not None and self.known[indices].all():
            return self.kept[indices.to(self.device)]
        return torch.stack([self._one(int(i)) for i in indices])

    def _one(self, index: int) -> Tensor:
        if self.kept is not None and self.known[index]:
            return self.kept[index]
        target = self.compute(self.pool.batch(torch.tensor([index]), self.device))[0]
        kept = self._room(target)
        if index < len(kept):
            kept[index] = target
            self.known[index] = True
        return target

    def _room(self, target: Tensor) -> Tensor:
        """The place of all targets that may be kept, [N,K] for a `target` [K]."""
        if self.kept is None:
            capacity = min(len(self.pool), int(self.limit // (target.numel() * target.element_size())))
            self.kept = torch.empty(capacity, target.numel(), dtype=target.dtype, device=self.device)
        return self.kept
