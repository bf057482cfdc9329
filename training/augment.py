"""DiffAugment (Zhao et al. 2020): the same kind of random change to all that D sees.

It keeps D from learning a small collection by heart, and gradients pass through it to G. D sees features, so
the features are changed. Of the paper's changes, contrast becomes a factor on all features of a picture, and
shift and cutout stay. Brightness and saturation have no counterpart.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

# The change of one picture takes this many random numbers.
DRAWS = 5


def diff_augment(features: Mapping[str, Tensor], draws: Tensor) -> dict[str, Tensor]:
    """Features [B,C,h,w] by layer -> the same shapes: contrast, shift and cutout, alike in all layers.

    draws [B,5], uniform in 0..1, decide for each picture. The caller draws them for the whole batch, so that
    a batch in parts or over several processes gets the same changes.
    """
    draws = draws.to(next(iter(features.values())).device)
    contrast = 0.75 + 0.5 * draws[:, 0, None, None, None]
    changed = {}
    for name, maps in features.items():
        factor = contrast * _cutout(maps, draws[:, 3:5])
        changed[name] = _shift(maps, draws[:, 1:3]) * factor.to(maps.dtype)
    return changed


def _shift(maps: Tensor, draws: Tensor, ratio: float = 0.125) -> Tensor:
    """[B,C,h,w]: each picture moved by up to `ratio` of its side, zeros coming in."""
    limits = [round(side * ratio) for side in maps.shape[-2:]]
    moved: Tensor = _Translate.apply(maps, *(_place(draws[:, i], -n, n) for i, n in enumerate(limits)))
    return moved


def _cutout(maps: Tensor, draws: Tensor, ratio: float = 0.4) -> Tensor:
    """For maps [B,C,h,w] the mask [B,1,h,w]: one rectangle of `ratio` of the sides is 0."""
    within = []
    for i, side in enumerate(maps.shape[-2:]):
        length = round(side * ratio)
        first = _place(draws[:, i], 0, side - length)[:, None]
        place = torch.arange(side, device=draws.device)
        within.append((place >= first) & (place < first + length))
    return ~(within[0][:, None, :, None] & within[1][:, None, None, :])


def _place(draw: Tensor, low: int, high: int) -> Tensor:
    """0..1 -> one of the whole numbers `low` to `high`."""
    return (low + draw * (high - low + 1)).floor().long().clamp(low, high)


class _TranslateContext(FunctionCtx):
    saved_tensors: tuple[Tensor, Tensor]


class _Translate(torch.autograd.Function):
    """maps [B,C,h,w] moved up by rows [B] and left by columns [B] pixels, zeros coming in.

    The derivative of a translation is the translation back. With autograd, slicing would take thousands of
    small operations for a batch, and indexing would sort all places.
    """

    @staticmethod
    def forward(ctx: _TranslateContext, maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        ctx.save_for_backward(rows, columns)
        return _translated(maps, rows, columns)

    @staticmethod
    def backward(ctx: _TranslateContext, grad: Tensor) -> tuple[Tensor, None, None]:
        rows, columns = ctx.saved_tensors
        return _translated(grad, -rows, -columns), None, None


def _translated(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    batch, _, height, width = maps.shape
    picture = torch.arange(batch, device=maps.device)[:, None, None]
    row = (torch.arange(height, device=maps.device) + rows[:, None])[:, :, None]
    column = (torch.arange(width, device=maps.device) + columns[:, None])[:, None, :]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    moved = maps.permute(0, 2, 3, 1)[picture, row.clamp(0, height - 1), column.clamp(0, width - 1)]
    return moved.mul_(inside[..., None]).permute(0, 3, 1, 2)
