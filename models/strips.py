"""Strips: rows of a feature map that are computed by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

STRIP_BYTES = 8 * 2**20

# On a GPU strips save no time, but at 8K the temporaries of whole maps would take gigabytes.
GPU_STRIP_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Strip:
    """Rows `start` to `stop` of a map with `height` rows.

    On a CPU the temporaries of a strip stay in the cache, and those of a large map do not (docs/history.md).
    The result is that of the whole map: each strip reads as many rows of its neighbours as its convolutions
    see.
    """

    start: int
    stop: int
    height: int

    @classmethod
    def whole(cls, height: int) -> Strip:
        """All rows of a map of that height."""
        return cls(0, height, height)

    def widened(self, rows: int) -> Strip:
        """With `rows` more on either side, as far as the map has them."""
        return Strip(max(0, self.start - rows), min(self.height, self.stop + rows), self.height)

    def rows(self, x: Tensor, scale: int = 1) -> Tensor:
        """These rows of x [B,C,height,W], or of a map that is `scale` times as large."""
        if self.stop - self.start == self.height:
            return x
        return x[:, :, self.start * scale : self.stop * scale]

    @property
    def borders(self) -> dict[str, bool]:
        """Which borders of the strip are borders of the picture, for `Conv3x3`."""
        return {"top": self.start == 0, "bottom": self.stop == self.height}


def strips(size: Sequence[int], device: torch.device, strip_bytes: int | None = None) -> list[Strip]:
    """Strips, of 2 rows or more, of a map of `size` [B,C,H,W]: about `strip_bytes` of float32 each, without
    them 8 MB on a CPU and 256 MB on other devices."""
    batch, channels, height, width = size
    if strip_bytes is None:
        strip_bytes = STRIP_BYTES if device.type == "cpu" else GPU_STRIP_BYTES
    rows = max(2, strip_bytes // (4 * batch * channels * width))
    count = max(1, min(round(height / rows), height // 2))
    edges = [height * i // count for i in range(count + 1)]
    return [Strip(start, stop, height) for start, stop in zip(edges[:-1], edges[1:], strict=True)]
