"""Pixels that move as a Laplacian pyramid: coarse shapes and fine marks each at their own pace.

Adam moves the levels of the pyramid (STROTSS, Kolkin 2019), so that a step can change a large shape as
easily as a pixel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Adam's rate, after this many steps of warming up. In the second half of the steps it falls to a tenth, and
# the grain of single steps goes.
_RATE = 1e-2
_WARM_UP = 4
_FALL = 0.5

# Levels below the pixels themselves, each of half the side of the one before, as long as a side has more.
_LEVELS = 5
_SMALLEST = 2


class PyramidCanvas:
    """The pictures [B,3,H,W] of one size for `steps` steps; `picture` has no gradients."""

    def __init__(self, picture: Tensor, steps: int):
        self._steps, self._step = steps, 0
        self._levels = [level.requires_grad_() for level in _levels(picture)]
        fused = picture.device.type in ("cpu", "cuda")
        self._optimizer = torch.optim.Adam(self._levels, lr=_RATE, betas=(0.9, 0.99), fused=fused)
        # A picture of ComfyUI's inference mode has no gradients; a copy made here may have.
        self._picture = picture.clone()

    @property
    def picture(self) -> Tensor:
        return self._picture

    def move(self, gradient: Tensor) -> None:
        """One step; `gradient` [B,3,H,W] is that of the loss at `picture`, which may be not finite: such a
        picture of the batch moves by momentum only."""
        finite = torch.isfinite(gradient.flatten(1).sum(1))[:, None, None, None]
        gradient = torch.where(finite, gradient, torch.zeros_like(gradient))
        with torch.enable_grad():
            grads = torch.autograd.grad(_picture(self._levels), self._levels, gradient)
        for level, grad in zip(self._levels, grads, strict=True):
            # The fused Adam goes through memory, and a picture of the network lies there channel by channel.
            level.grad = grad.contiguous()
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate()
        self._optimizer.step()
        self._step += 1
        with torch.no_grad():
            self._picture = _picture(self._levels)

    def finished(self, average: Tensor) -> Tensor:
        return average.clamp(0, 1)

    def _rate(self) -> float:
        rising = min(1.0, (self._step + 1) / _WARM_UP)
        falling = min(1.0, max(0.1, (self._steps - self._step) / (_FALL * self._steps)))
        return _RATE * rising * falling


def _levels(picture: Tensor) -> list[Tensor]:
    """What each level adds to the ones below it, the finest first."""
    levels: list[Tensor] = []
    while len(levels) < _LEVELS and min(picture.shape[-2:]) >= 2 * _SMALLEST:
        smaller = F.interpolate(
            picture, scale_factor=0.5, mode="bilinear", antialias=True, recompute_scale_factor=True
        )
        levels.append((picture - _enlarged(smaller, picture)).contiguous())
        picture = smaller
    return [*levels, picture.clone(memory_format=torch.contiguous_format)]


def _picture(levels: list[Tensor]) -> Tensor:
    picture = levels[-1].clone()
    for level in reversed(levels[:-1]):
        picture = level + _enlarged(picture, level)
    return picture


def _enlarged(picture: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(picture, (like.shape[-2], like.shape[-1]), mode="bilinear")
