"""A picture at half its size, and the gradient's way back; borders that make a picture large enough."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def halved(picture: Tensor) -> Tensor:
    """[B,C,H,W] -> [B,C,H/2,W/2], weights 1, 3, 3, 1 along each axis.

    The gradient of a mean of 2 x 2 pixels is alike in all four. Two halvings of that kind leave squares in
    plain grounds, which the next size enlarges.
    """
    return F.avg_pool2d(_blurred(picture), 2)


def through_halves(gradients: list[Tensor]) -> Tensor:
    """The gradient with respect to the whole picture from those of the picture and its halves."""
    gradient = gradients[-1]
    for finer in reversed(gradients[:-1]):
        height, width = gradient.shape[-2] * 2, gradient.shape[-1] * 2
        # `avg_pool2d` gives each of four pixels a quarter, and leaves an odd last row and column out.
        spread = F.interpolate(gradient, scale_factor=2, mode="nearest") / 4
        spread = F.pad(spread, (0, finer.shape[-1] - width, 0, finer.shape[-2] - height))
        gradient = finer.add_(_blurred(spread))
    return gradient


def _blurred(picture: Tensor) -> Tensor:
    """Weights 1, 2, 1 along both axes, borders repeated; symmetric, so that it is its own derivative."""
    for axis in (2, 3):
        last = picture.shape[axis] - 1
        blurred = picture / 2
        blurred.narrow(axis, 1, last).add_(picture.narrow(axis, 0, last), alpha=0.25)
        blurred.narrow(axis, 0, last).add_(picture.narrow(axis, 1, last), alpha=0.25)
        for edge in (0, last):
            blurred.select(axis, edge).add_(picture.select(axis, edge), alpha=0.25)
        picture = blurred
    return picture


def grown_to(picture: Tensor, side: int) -> Tensor:
    """The picture, its last rows and columns repeated until it has `side` pixels a side."""
    missing = [max(0, side - length) for length in picture.shape[-2:]]
    return F.pad(picture, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else picture
