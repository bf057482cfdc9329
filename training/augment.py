"""DiffAugment (Zhao et al. 2020): the same kind of random change to all that D sees.

It keeps D from learning a small collection by heart, and gradients pass through it to G. D sees features, so
they are what is changed: of the paper's changes, contrast becomes a factor on all features of a picture,
shift and cutout stay what they are, and those of brightness and saturation have no counterpart.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

# Random numbers that one picture's change takes.
DRAWS = 5


def diff_augment(features: Mapping[str, Tensor], draws: Tensor) -> dict[str, Tensor]:
    """Features [B,C,h,w] by layer -> the same shapes: contrast, shift and cutout, alike in all layers.

    draws [B,5], uniform in 0..1, on the CPU, decide for each picture: drawn by the caller for the whole
    batch, so that a batch cut in parts or spread over processes is changed as it would be in one.
    """
    contrast = 0.75 + 0.5 * draws[:, 0, None, None, None]
    return {
        name: _cutout(_shift(maps, draws[:, 1:3]), draws[:, 3:5]) * contrast.to(maps)
        for name, maps in features.items()
    }


def _shift(maps: Tensor, draws: Tensor, ratio: float = 0.125) -> Tensor:
    """[B,C,h,w]: each picture moved by up to `ratio` of its side, zeros coming in."""
    height, width = maps.shape[-2:]
    down, across = round(height * ratio), round(width * ratio)
    padded = F.pad(maps, (across, across, down, down))
    windows = []
    for i, (row, column) in enumerate(draws.tolist()):
        top, left = int(row * (2 * down + 1)), int(column * (2 * across + 1))
        windows.append(padded[i, :, top : top + height, left : left + width])
    return torch.stack(windows)


def _cutout(maps: Tensor, draws: Tensor, ratio: float = 0.4) -> Tensor:
    """[B,C,h,w]: each picture with one rectangle of `ratio` of its sides at 0."""
    batch, _, height, width = maps.shape
    high, wide = round(height * ratio), round(width * ratio)
    mask = torch.ones(batch, 1, height, width)
    for i, (row, column) in enumerate(draws.tolist()):
        top, left = int(row * (height - high + 1)), int(column * (width - wide + 1))
        mask[i, :, top : top + high, left : left + wide] = 0
    return maps * mask.to(maps)
