"""Targets of the losses: the loss network computes them once per kept crop, then they are kept."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from ..models.perception.statistics import normalized, style_statistics
from ..models.perception.vgg import CONTENT_LAYER, STYLE_LAYERS, LossNetwork
from .crop_pool import CropPool

STYLE_CHANNELS = (64, 128, 256, 512)


def content_target(network: LossNetwork, image: Tensor) -> Tensor:
    """image [B,3,H,W] -> instance-normalised relu4_1, flat [B,512*H/8*W/8], bfloat16."""
    return normalized(network(image)[CONTENT_LAYER]).flatten(1).bfloat16()


def style_target(network: LossNetwork, image: Tensor) -> Tensor:
    """image [B,3,h,w] -> the statistics of relu1_1 … relu4_1, flat [B,K], bfloat16: 0.35 MB a picture.

    They are the upper triangles of the Gram matrices, then mean and deviation. The rounding (0.4 %) is much
    smaller than any error of the network.
    """
    grams, moments = style_statistics(network(image))
    parts = []
    for name, channels in zip(STYLE_LAYERS, STYLE_CHANNELS, strict=True):
        rows, columns = _triangle(channels, image.device)
        parts.append(grams[name][:, rows, columns])
    parts += [moments[name].flatten(1) for name in STYLE_LAYERS]
    return torch.cat(parts, 1).bfloat16()


@functools.cache
def _triangle(channels: int, device: torch.device) -> Tensor:
    """Rows and columns [2,K] of the upper triangle."""
    return torch.triu_indices(channels, channels, device=device)


def unpack_style_target(flat: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The Gram matrices [B,C,C] and the `mean_std` [B,2,C] by layer, float32, of `style_target`."""
    flat = flat.float()
    sizes = [c * (c + 1) // 2 for c in STYLE_CHANNELS] + [2 * c for c in STYLE_CHANNELS]
    parts = torch.split(flat, sizes, 1)
    grams, moments = {}, {}
    for i, (name, channels) in enumerate(zip(STYLE_LAYERS, STYLE_CHANNELS, strict=True)):
        rows, columns = _triangle(channels, flat.device)
        gram = flat.new_zeros(len(flat), channels, channels)
        gram[:, rows, columns] = parts[i]
        gram[:, columns, rows] = parts[i]
        grams[name] = gram
        moments[name] = parts[len(STYLE_LAYERS) + i].view(len(flat), 2, channels)
    return grams, moments


class TargetCache:
    """`compute` of the crops of a pool, kept on `device` up to `limit` bytes.

    Missing targets are computed one at a time: if a crop's target depended on the others in its batch, a
    resumed run would differ in the last bit.
    """

    def __init__(
        self, pool: CropPool, compute: Callable[[Tensor], Tensor], device: torch.device, limit: float
    ):
        self.pool, self.compute, self.device = pool, compute, device
        self.limit = limit
        self.kept: Tensor | None = None
        self.known = torch.zeros(len(pool), dtype=torch.bool)

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
        if self.kept is None:
            capacity = min(len(self.pool), int(self.limit // (target.numel() * target.element_size())))
            self.kept = torch.empty(capacity, target.numel(), dtype=target.dtype, device=self.device)
        if index < len(self.kept):
            self.kept[index] = target
            self.known[index] = True
        return target
