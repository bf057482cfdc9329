"""DiffAugment (Zhao et al. 2020): the same kind of random change to all that D sees.

It keeps D from learning a small collection by heart, and gradients pass through it to G.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def diff_augment(image: Tensor, generator: torch.Generator) -> Tensor:
    """image [B,3,H,W] in 0..1 -> the same shape: brightness, saturation, contrast, shift, cutout.

    Each picture gets its own draw; `generator` is a CPU generator, so every device sees the same.
    """

    def uniform(low: float, high: float) -> Tensor:
        draw = torch.rand(len(image), 1, 1, 1, generator=generator) * (high - low) + low
        return draw.to(image.device)

    image = image + uniform(-0.25, 0.25)
    grey = image.mean(1, keepdim=True)
    image = grey + (image - grey) * uniform(0.5, 1.5)
    level = image.mean((1, 2, 3), keepdim=True)
    image = level + (image - level) * uniform(0.75, 1.25)
    return _cutout(_shift(image, generator), generator)


def _shift(image: Tensor, generator: torch.Generator, ratio: float = 0.125) -> Tensor:
    """Each picture moved by up to `ratio` of its side, zeros coming in."""
    batch, _, height, width = image.shape
    down, across = round(height * ratio), round(width * ratio)
    padded = F.pad(image, (across, across, down, down))
    top = torch.randint(0, 2 * down + 1, (batch,), generator=generator).tolist()
    left = torch.randint(0, 2 * across + 1, (batch,), generator=generator).tolist()
    windows = [padded[i, :, top[i] : top[i] + height, left[i] : left[i] + width] for i in range(batch)]
    return torch.stack(windows)


def _cutout(image: Tensor, generator: torch.Generator, ratio: float = 0.4) -> Tensor:
    """Each picture with one rectangle of `ratio` of its sides at 0."""
    batch, _, height, width = image.shape
    high, wide = round(height * ratio), round(width * ratio)
    mask = torch.ones(batch, 1, height, width)
    top = torch.randint(0, height - high + 1, (batch,), generator=generator).tolist()
    left = torch.randint(0, width - wide + 1, (batch,), generator=generator).tolist()
    for i in range(batch):
        mask[i, :, top[i] : top[i] + high, left[i] : left[i] + wide] = 0
    return image * mask.to(image.device)
