"""How much each of several styles rules at every place of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from .strips import Strip


@dataclass(frozen=True, eq=False)
class Shares:
    """The shares of S styles in every cell of a feature map: values [H,W,S], sums 1."""

    values: Tensor

    def to(self, device: torch.device | str) -> Shares:
        return Shares(self.values.to(device))

    def blend(self, factor: Tensor, strip: Strip) -> Tensor:
        """The mean of `factor` [S,C,1,1] by the shares in the rows of `strip`: [1,C,rows,W]."""
        return (self.values[strip.start : strip.stop] @ factor.flatten(1)).permute(2, 0, 1)[None]

    def rows(self, strip: Strip) -> Tensor:
        """The shares in the rows of `strip`: [rows,W,S]. Its map may have N x N places in each cell."""
        scale = strip.height // self.values.shape[0]
        first, last = strip.start // scale, -(-strip.stop // scale)
        found = self.values[first:last]
        if scale == 1:
            return found
        found = found.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
        return found[strip.start - first * scale : strip.stop - first * scale]

    def smooth(self, strip: Strip) -> Tensor:
        """As `rows` says, and without steps from cell to cell: [S,rows,W]."""
        scale = strip.height // self.values.shape[0]
        first, last = strip.start // scale, -(-strip.stop // scale)
        seen = Strip(first, last, self.values.shape[0]).widened(1)
        found = self.values[seen.start : seen.stop].permute(2, 0, 1)[None]
        found = F.interpolate(found, scale_factor=scale, mode="bilinear", align_corners=False)[0]
        return found[:, strip.start - seen.start * scale : strip.stop - seen.start * scale]

    def columns(self, style: int, strip: Strip) -> Strip | None:
        """The columns from the first to the last one where `style` has a share in the rows of `strip`."""
        first, stop = self._columns_of_rows[:, strip.start : strip.stop, style].unbind()
        start, end = int(first.min()), int(stop.max())
        return Strip(start, end, self.values.shape[1]) if start < end else None

    @cached_property
    def _columns_of_rows(self) -> Tensor:
        """First column and last column + 1 of each style in each row, [2,H,S], on the CPU."""
        rules = self.values > 0
        width = rules.shape[1]
        place = torch.arange(width, device=rules.device)[:, None]
        first = torch.where(rules, place, width).amin(1)
        stop = torch.where(rules, place + 1, 0).amax(1)
        return torch.stack([first, stop]).cpu()
