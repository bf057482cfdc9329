"""What a step of refining moves: the pixels here, or the network that paints them (`tuned_network.py`)."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from .lbfgs import LBFGS


class Canvas(Protocol):
    """The picture at one size, and how a step changes it."""

    @property
    def picture(self) -> Tensor:
        """[B,3,H,W], without gradients; values beyond 0..1 included."""

    def move(self, gradient: Tensor) -> None:
        """One step; `gradient` [B,3,H,W] is that of the loss at `picture`."""

    def finished(self, average: Tensor) -> Tensor:
        """The result [B,3,H,W] in 0..1 from the mean of the last pictures."""


class PixelCanvas:
    """Every pixel moves by itself."""

    def __init__(self, picture: Tensor, history: int):
        self._picture, self._optimizer = picture.contiguous(), LBFGS(history)

    @property
    def picture(self) -> Tensor:
        return self._picture

    def move(self, gradient: Tensor) -> None:
        self._picture = self._picture + self._optimizer.step(gradient)

    def remember_less(self) -> int:
        """Keep half as many steps from now on; returns how many."""
        self._optimizer.remember_less()
        return self._optimizer.history

    def finished(self, average: Tensor) -> Tensor:
        return average.clamp(0, 1)
