"""Noise that moves along with what a video shows, so that strokes stick to things and not to the screen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..noise import keys, normal
from .motion import warp

# Where the motion is trusted less than this, the noise begins anew.
_TRUSTED = 0.5

# Tells the noise that is born in one frame from that born in the next.
_BIRTH = 0x2C1B3C6D


@dataclass(frozen=True, eq=False)
class CarriedNoise:
    """The noise of one frame [1,3,H,W] of `size` (H, W).

    moved [1,2,h,w], x first, says how far each place's noise has come since it was born, in pixels of a frame
    that is reduced to h x w; born [1,1,h,w] is the number of that frame. The noise itself is a function of
    where and when it was born. So it is carried without being blurred, its variance stays 1, and
    slow motion adds up until a cell takes the next cell's noise.
    """

    seed: int
    size: tuple[int, int]
    moved: Tensor
    born: Tensor

    @classmethod
    def first(cls, seed: int, frame: Tensor) -> CarriedNoise:
        """That of the first frame [1,3,H,W]: the noise of a still picture."""
        still = torch.zeros(1, 1, 1, 1, device=frame.device)
        return cls(seed, (frame.shape[-2], frame.shape[-1]), still.repeat(1, 2, 1, 1), still)

    def carried(self, flow: Tensor, trust: Tensor, number: int) -> CarriedNoise:
        """That of the next frame, with this number; flow and trust as `find_motion` gives them."""
        size = flow.shape[-2:]
        moved, born = (each.expand(-1, -1, *size) for each in (self.moved, self.born))
        kept = trust > _TRUSTED
        return CarriedNoise(
            self.seed,
            self.size,
            torch.where(kept, flow + warp(moved, flow), torch.zeros_like(flow)),
            torch.where(kept, warp(born, flow, mode="nearest"), torch.full_like(trust, number)),
        )

    def maps(
        self, stride: int, count: int, size: tuple[int, int], corner: Tensor, device: torch.device
    ) -> Tensor:
        # The cells' centres in the frame, and where they are in the reduced one; the border follows the edge.
        centers = [
            torch.arange(length) * stride + stride // 2 - int(corner[0, axis])
            for axis, length in enumerate(size)
        ]
        reduced = self.moved.shape[-2:]
        rows, columns = (
            (center.clamp(0, side - 1) * few // side).to(self.moved.device)
            for center, side, few in zip(centers, self.size, reduced, strict=True)
        )
        x, y = self.moved[0][:, rows][:, :, columns]
        y = centers[0][:, None].to(y) + y * (self.size[0] / reduced[0])
        x = centers[1].to(x) + x * (self.size[1] / reduced[1])
        born = self.born[0, 0, rows][:, columns].long() * _BIRTH
        places = ((each / stride).floor().long().to(device) for each in (y, x))
        row, column = ((place + born.to(device))[None, None] for place in places)
        return normal(row, column, keys((self.seed,), stride, count, device))

    def picture(self, i: int) -> CarriedNoise:
        return self
