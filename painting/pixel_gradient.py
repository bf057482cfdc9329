"""Losses on pixels and their gradient, strip by strip: their memory does not grow with the picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.perception.pixel_losses import GROUND_CELLS, Steps, ground_steps

# Strips start where every cell of the ground loss starts: at half of the largest one.
_GRID = max(GROUND_CELLS) // 2

# A step between two cells of the largest size takes four halves of it.
_REACH = 3 * _GRID

_STRIP_PIXELS = 2**20


def row_ranges(height: int, width: int, pixels: int = _STRIP_PIXELS) -> list[tuple[int, int]]:
    """First and last row of strips of about `pixels` pixels; the last holds two of the largest cells or all.

    >>> row_ranges(700, 1000, 64_000)
    [(0, 64), (64, 128), (128, 192), (192, 256), (256, 320), (320, 384), (384, 448), (448, 700)]
    """
    rows = max(1, pixels // width // _GRID) * _GRID
    found = []
    start = 0
    while height - start - rows >= _GRID + _REACH:
        found.append((start, start + rows))
        start += rows
    return [*found, (start, height)]


def pixel_losses(
    picture: Tensor,
    gradient: Tensor,
    limits: list[Steps],
    weights: dict[str, float],
    pixels: int = _STRIP_PIXELS,
) -> dict[str, Tensor]:
    """Losses "range", "tv", "grain" and, where `limits` has cells, "ground", [B] each; adds to `gradient`.

    picture, gradient: [B,3,H,W], at least 2 pixels a side; limits: `ground_limits` of the photo. It adds the
    gradient of the sum over the batch of weight times loss, and leaves a loss without a weight out.
    The losses are `range_loss`, `tv_loss`, the same with squared differences, and `ground_excess` of
    `pixel_losses`, for each picture by itself.
    """
    height, width = picture.shape[-2:]
    found: dict[str, Tensor] = {}
    for start, stop in row_ranges(height, width, pixels):
        strip = picture[:, :, start : min(height, stop + _REACH)].detach().requires_grad_()
        with torch.enable_grad():
            losses = _strip_losses(strip, start, stop, height, limits)
            losses = {name: loss for name, loss in losses.items() if weights.get(name)}
            total = sum((weights[name] * loss.sum() for name, loss in losses.items()), strip.new_zeros(()))
        if losses:
            gradient[:, :, start : start + strip.shape[2]] += torch.autograd.grad(total, strip)[0]
        for name, loss in losses.items():
            found[name] = found.get(name, 0) + loss.detach()
    return found


def _strip_losses(
    strip: Tensor, start: int, stop: int, height: int, limits: list[Steps]
) -> dict[str, Tensor]:
    """The part of the losses in the rows `start` to `stop` of a picture; `strip` goes on below them."""
    width = strip.shape[-1]
    own = strip[:, :, : stop - start]
    below = strip[:, :, 1 : stop - start + 1]
    steps = (
        (below - own[:, :, : below.shape[2]], 3 * (height - 1) * width),
        (own[..., 1:] - own[..., :-1], 3 * height * (width - 1)),
    )
    outside = (own - own.clamp(0, 1)).square().sum((1, 2, 3)) / (3 * height * width)
    losses = {"range": outside}
    losses["tv"] = torch.stack([step.abs().sum((1, 2, 3)) / count for step, count in steps]).sum(0)
    losses["grain"] = torch.stack([step.square().sum((1, 2, 3)) / count for step, count in steps]).sum(0)
    if limits:
        losses["ground"] = _strip_ground(strip, start, None if stop == height else stop, limits)
    return losses


def _strip_ground(strip: Tensor, start: int, stop: int | None, limits: list[Steps]) -> Tensor:
    excess = strip.new_zeros(len(strip))
    for cell, found, allowed in zip(GROUND_CELLS, ground_steps(strip), limits, strict=False):
        first, count = start // (cell // 2), None if stop is None else (stop - start) // (cell // 2)
        for steps, limit in zip(found, allowed, strict=True):
            here = limit[:, first:] if count is None else limit[:, first : first + count]
            over = F.relu(steps[:, :count] - here)
            excess = excess + over.flatten(1).sum(1) / limit[0].numel()
    return excess / (2 * len(limits))
