"""L-BFGS for a batch of pictures, each by itself, without a wait for the device (Liu & Nocedal 1989).

PyTorch's own L-BFGS reads numbers on the CPU in every step, takes a batch for one problem, and keeps its
history in the picture's type.
"""

from __future__ import annotations

import torch
from torch import Tensor

# This many pairs of a step and the change of the gradient are kept. Ten are not better than five.
HISTORY = 5

# The longest step, as root mean square over a picture in 0..1: further away the curvature is different.
_LONGEST = 0.1

# The first step, before the curvature is known, as root mean square over the picture.
_FIRST = 1e-3


class LBFGS:
    """Proposes steps for pictures [B,3,H,W] from their gradients; no line search.

    history: how many pairs are kept, each of two pictures in `dtype`. A picture whose gradient is not
    finite stays as it is, and the pair of that step is dropped. A step for which memory runs out can be
    asked for again.
    """

    def __init__(self, history: int = HISTORY, dtype: torch.dtype = torch.bfloat16):
        self.history, self.dtype = history, dtype
        self._pairs: list[tuple[Tensor, Tensor, Tensor]] = []
        self._last: tuple[Tensor, Tensor] | None = None
        self._scale: Tensor | None = None

    def step(self, gradient: Tensor) -> Tensor:
        """What to add to the pictures, [B,3,H,W]; `gradient` is that of the loss there."""
        finite = torch.isfinite(_dot(gradient, gradient))
        gradient = torch.where(finite, gradient, torch.zeros_like(gradient)).nan_to_num_(0, 0, 0)
        if self._last is not None:
            self._remember(gradient, *self._last, finite)
            # Once, also if memory runs out further down and the step is asked for again.
            self._last = None
        direction = self._direction(gradient)
        size = _dot(direction, direction).div(direction[0].numel()).sqrt()
        if self._scale is None:
            direction = direction * (_FIRST / size.clamp_min(1e-30))
        else:
            direction = direction * (_LONGEST / size.clamp_min(1e-30)).clamp_max(1)
        self._last = gradient, direction
        return direction

    def remember_less(self) -> None:
        """Keep half as many pairs from now on, down to none."""
        self.history //= 2
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        del self._pairs[: max(0, len(self._pairs) - self.history)]

    def _remember(self, gradient: Tensor, before: Tensor, step: Tensor, finite: Tensor) -> None:
        step, change = step.to(self.dtype), (gradient - before).to(self.dtype)
        curvature = _dot(change, step)
        # A pair gets no weight if the loss bends downwards or nothing moved: it does not show the curvature.
        usable = finite & (curvature > 1e-10 * _dot(step, step)) & (_dot(step, step) > 0)
        weight = torch.where(usable, 1 / curvature, torch.zeros_like(curvature))
        scale = curvature / _dot(change, change).clamp_min(1e-30)
        known = self._scale if self._scale is not None else torch.where(usable, scale, torch.ones_like(scale))
        self._scale = torch.where(usable, scale, known)
        self._pairs.append((step, change, weight))
        self._drop_oldest()

    def _direction(self, gradient: Tensor) -> Tensor:
        """Minus the inverse Hessian's estimate times the gradient: the two-loop recursion."""
        direction = -gradient
        factors = []
        for step, change, weight in reversed(self._pairs):
            factor = weight * _dot(step, direction)
            direction = torch.addcmul(direction, factor, change.to(direction.dtype), value=-1)
            factors.append(factor)
        if self._scale is not None:
            direction = direction * self._scale
        for (step, change, weight), factor in zip(self._pairs, reversed(factors), strict=True):
            direction = torch.addcmul(
                direction, factor - weight * _dot(change, direction), step.to(direction.dtype)
            )
        return direction


def _dot(first: Tensor, second: Tensor) -> Tensor:
    """Scalar products of the pictures of two batches, [B,1,1,1]."""
    return (first.float() * second.float()).sum((1, 2, 3), keepdim=True)
