"""Where the networks' pixel grid lies on a picture: the picture decides, so that the paint moves with it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

GRID = 4
"""Side in pixels of the cells that the content encoder's stem makes of a picture."""

PixelRows = Callable[[int, int], Tensor]
"""Gives the rows from one number to another, without it, of pictures: [B,3,rows,W] in 0..1."""

# This many pixels are looked at together.
_CHUNK = 2**22


@torch.no_grad()
def grid_corner(image: Tensor) -> Tensor:
    """How many pixels, 0 to 3, to reflect above and left of each picture: [B,3,H,W] -> [B,2], on the CPU.

    Fine strokes depend on where the cells of 4 pixels begin. If they always began in the picture's corner, a
    photo cropped by another pixel would get other strokes. So this sums the steps in brightness along each
    axis, A_k over the neighbours k, k + 4, k + 8, …, and the grid begins at the phase of
    (A_0 - A_2) - i (A_1 - A_3), their Fourier coefficient of period 4. When the photo shifts, the grid shifts
    along. (Adaptive polyphase sampling, Chaman & Dokmanic 2021, compares the results of all grids; this
    looks at the picture and costs one pass over it.) A Hann window gives less weight to the borders, where
    things enter and leave. The grid follows whole pixels only.

    >>> picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> grid_corner(picture).tolist(), grid_corner(picture.roll((1, -2), (2, 3))).tolist()
    ([[2, 2]], [[1, 0]])
    """
    return corner_of_rows(lambda start, stop: image[:, :, start:stop], (image.shape[2], image.shape[3]))


def checked_corner(corner: object, count: int) -> Tensor:
    """A corner as `grid_corner` gives it, for `count` pictures. Raises ValueError, one sentence."""
    if (
        not isinstance(corner, Tensor)
        or corner.is_meta
        or corner.dtype not in (torch.int64, torch.int32)
        or tuple(corner.shape) not in ((1, 2), (count, 2))
    ):
        raise ValueError("corner is none; give what grid_corner returns, [B,2] whole numbers.")
    return corner.expand(count, -1)


@torch.no_grad()
def corner_of_rows(rows: PixelRows, size: tuple[int, int]) -> Tensor:
    """`grid_corner` of pictures of `size` (H, W) whose rows are read a few at a time, to the last bit."""
    height, width = size
    chunk = max(1, _CHUNK // width)
    first = rows(0, 1)
    windows = _hann(height, first.device), _hann(width, first.device)
    down: list[Tensor] = []
    across = torch.zeros((len(first), width - 1), dtype=torch.float32, device=first.device)
    for start in range(0, height, chunk):
        stop = min(height, start + chunk)
        # With the first row of the next chunk, for the step to it.
        gray = rows(start, min(height, stop + 1)).float().mean(1)
        down.append(torch.einsum("bhw,w->bh", (gray[:, 1:] - gray[:, :-1]).abs_(), windows[1]))
        own = gray[:, : stop - start]
        steps = (own[:, :, 1:] - own[:, :, :-1]).abs_()
        across = across + torch.einsum("bhw,h->bw", steps, windows[0][start:stop])
    # Both in one transfer: a GPU has to finish what it does before each.
    weighted = torch.cat(down, 1) * windows[0][:-1], across * windows[1][:-1]
    profiles = torch.cat(weighted, 1).cpu().split([height - 1, width - 1], 1)
    return -torch.stack([_phase(profile) for profile in profiles], 1) % GRID


def _hann(length: int, device: torch.device) -> Tensor:
    places = (torch.arange(length, dtype=torch.float32, device=device) + 0.5) / length
    return torch.sin(math.pi * places).square()


def _phase(profile: Tensor) -> Tensor:
    """[B,N] on the CPU -> [B], 0 to 3."""
    # A few numbers, on the CPU: not every device has float64.
    profile = profile.double()
    sums = [profile[:, k::GRID].sum(1) for k in range(GRID)]
    angle = torch.atan2(sums[1] - sums[3], sums[0] - sums[2])
    # A picture that is not finite has no angle; any corner will do.
    return torch.nan_to_num(angle / (math.pi / 2)).round().long()
