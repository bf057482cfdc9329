"""DiffAugment (Zhao et al. 2020): the same kind of random change to all that D sees.

It keeps D from learning a small collection by heart, and gradients pass through it to G.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Random numbers that one picture's change takes.
DRAWS = 7


def diff_augment(image: Tensor, draws: Tensor) -> Tensor:
    """image [B,3,H,W] in 0..1 -> the same shape: brightness, saturation, contrast, shift, cutout.

    draws [B,7], uniform in 0..1, on the CPU, decide for each picture: drawn by the caller for the whole
    batch, so that a batch cut in parts or spread over processes is changed as it would be in one.
    """
    levels = draws[:, :3, None, None, None].to(image.device, image.dtype)
    image = image + (levels[:, 0] - 0.5) * 0.5
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * (levels[:, 1] + 0.5)
    level = image.mean((1, 2, 3), keepdim=True)
    image = level + (image - level) * (levels[:, 2] * 0.5 + 0.75)
    return _cutout(_shift(image, draws[:, 3:5]), draws[:, 5:7])


def _shift(image: Tensor, draws: Tensor, ratio: float = 0.125) -> Tensor:
    """Each picture moved by up to `ratio` of its side, zeros coming in."""
    height, width = image.shape[-2:]
    down, across = round(height * ratio), round(width * ratio)
    padded = F.pad(image, (across, across, down, down))
    windows = []
    for i, (row, column) in enumerate(draws.tolist()):
        top, left = int(row * (2 * down + 1)), int(column * (2 * across + 1))
        windows.append(padded[i, :, top : top + height, left : left + width])
    return torch.stack(windows)


def _cutout(image: Tensor, draws: Tensor, ratio: float = 0.4) -> Tensor:
    """Each picture with one rectangle of `ratio` of its sides at 0."""
    batch, _, height, width = image.shape
    high, wide = round(height * ratio), round(width * ratio)
    mask = torch.ones(batch, 1, height, width)
    for i, (row, column) in enumerate(draws.tolist()):
        top, left = int(row * (height - high + 1)), int(column * (width - wide + 1))
        mask[i, :, top : top + high, left : left + wide] = 0
    return image * mask.to(image.device, image.dtype)
