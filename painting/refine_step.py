"""How far refining is: what those who watch it get after every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """The state after a step. `losses` and `picture` wait for the device, so ask for them only now and then.

    step: steps done, of steps in all; size: height and width of the picture now; seconds_left: a guess from
    the pace so far, weighted by pixels; tile: side of the tiles in pixels.
    """

    step: int
    steps: int
    size: tuple[int, int]
    seconds_left: float
    tile: int
    _losses: dict[str, Tensor]
    _average: Tensor

    def losses(self) -> dict[str, float]:
        """Losses by name, means over the batch; "total" is their weighted sum."""
        values = torch.stack(list(self._losses.values())).tolist()
        return dict(zip(self._losses, values, strict=True))

    def picture(self) -> Tensor:
        """The picture so far, [B,3,h,w] in 0..1 at the present size; a copy."""
        height, width = self.size
        return self._average[..., :height, :width].clamp(0, 1)


# Called after every step. If it returns something true, refining ends with the picture so far.
OnStep = Callable[[Step], object]
