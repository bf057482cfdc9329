"""Noise that moves along with what a video shows, so that strokes stick to things and not to the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..noise import keys, normal
from .cuts import TRUSTED, is_cut
from .motion import inside, warp


@dataclass(frozen=True, eq=False)
class CarriedNoise:
    """The noise of one frame [1,3,H,W] of `size` (H, W).

    moved [1,2,h,w], x first, says how far away each place's noise lies in the first frame, in pixels of a
    frame that is reduced to h x w. The noise itself is that of a still picture, which goes on beyond the
    frame. So it is carried without being blurred, its variance stays 1, and slow motion adds up until a cell
    takes the next cell's noise.
    """

    seed: int
    size: tuple[int, int]
    moved: Tensor

    @classmethod
    def first(cls, seed: int, frame: Tensor) -> CarriedNoise:
        """That of the first frame [1,3,H,W]: the noise of a still picture."""
        return cls(seed, (frame.shape[-2], frame.shape[-1]), torch.zeros(1, 2, 1, 1, device=frame.device))

    def carried(self, flow: Tensor, trust: Tensor) -> CarriedNoise:
        """That of the next frame; flow and trust as `find_motion` gives them.

        What comes into the frame brings the noise from beyond its edge. What comes into view behind something
        gets the noise that has moved like most of the frame, and so does what cannot be followed. After a cut
        all begins anew.
        """
        if is_cut(trust):
            return replace(self, moved=torch.zeros_like(flow))
        kept = trust > TRUSTED
        moved = flow + warp(self.moved.expand_as(flow), flow)
        most = moved.movedim(1, 0)[:, kept[:, 0]].median(1).values[:, None, None]
        return replace(self, moved=torch.where(kept | (inside(flow) == 0), moved, most))

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
        row, column = ((each / stride).floor().long()[None, None].to(device) for each in (y, x))
        return normal(row, column, keys((self.seed,), stride, count, device))

    def picture(self, i: int) -> CarriedNoise:
        return self
