"""Losses on pixels, without a network: noise, range, and plain grounds that stay plain.

Pictures are [B,3,H,W] in 0..1. The losses on features are in `feature_losses`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# `ground_excess`: the sides of cells in pixels. For each, how many times the photo's step between two cells
# is free, and what is free besides; None stands for the painting's own step. In large cells, light that is
# there may become drama, such as a thin cloud that turns into a storm. In small cells the same factor would
# raise a photo's noise to relief.
GROUND_CELLS: dict[int, tuple[float, float | None]] = {
    2: (2.0, None),
    4: (2.0, None),
    8: (1.5, None),
    16: (1.5, 0.03),
    32: (4.0, 0.02),
    64: (4.0, 0.02),
    128: (4.0, 0.02),
}

# The part of a painting that is its plain ground.
PLAIN_SHARE = 1 / 3

# Steps down and across between cells of one side, [B,rows,columns] each, or limits of them.
Steps = tuple[Tensor, Tensor]


def ground_steps(image: Tensor) -> list[Steps]:
    """How far apart the colours of neighbouring cells are, for every cell of `GROUND_CELLS` that fits twice.

    [B,3,H,W] -> per cell side k the Euclidean RGB distances between the means of two cells of k x k pixels
    side by side, down [B,rows,columns] and across. Cells begin every half cell. Each size is made of the
    one before, so that all take one pass over the picture. Empty for pictures of less than 4 pixels a side.
    """
    found = []
    halves = image
    for cell in GROUND_CELLS:
        if 2 * cell > min(image.shape[-2:]):
            break
        means = F.avg_pool2d(halves, 2, 1)
        found.append((_steps(means, 2), _steps(means, 3)))
        halves = F.avg_pool2d(halves, 2)
    return found


def _steps(means: Tensor, axis: int) -> Tensor:
    there = means.shape[axis] - 2
    step = means.narrow(axis, 2, there) - means.narrow(axis, 0, there)
    # The square root has no gradient at 0.
    return (step.square().sum(1) + 1e-8).sqrt()


def plain_steps(painting: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The grain of a painting's plain grounds, per cell down [B] and across [B]: the largest step in its
    plainest third, or the fixed allowance of `GROUND_CELLS`.

    A painting [B,3,h,w] in which a cell does not fit twice gives no entry for that cell.
    """
    allowed = []
    for (_, fixed), steps in zip(GROUND_CELLS.values(), ground_steps(painting), strict=False):
        if fixed is None:
            down, across = (_quantile(each.flatten(1), PLAIN_SHARE) for each in steps)
        else:
            down = across = painting.new_full((len(painting),), fixed)
        allowed.append((down, across))
    return allowed


def _quantile(values: Tensor, share: float) -> Tensor:
    """`torch.quantile` along the last axis, without its limit of 16 million values."""
    values = values.sort(-1).values
    position = share * (values.shape[-1] - 1)
    below = int(position)
    above = min(below + 1, values.shape[-1] - 1)
    return torch.lerp(values[..., below], values[..., above], position - below)


def ground_limits(photo: Tensor, allowed: list[tuple[Tensor, Tensor]]) -> list[Steps]:
    """The steps that cost nothing: gain times the photo's own step, plus `allowed` (from `plain_steps`)."""
    limits = []
    cells = zip(GROUND_CELLS.values(), ground_steps(photo), allowed, strict=False)
    for (gain, _), of_photo, extra in cells:
        down, across = (
            gain * steps + free[:, None, None] for steps, free in zip(of_photo, extra, strict=True)
        )
        limits.append((down, across))
    return limits


def ground_excess(found: list[Steps], limits: list[Steps]) -> Tensor:
    """[B]: mean of max(0, |d_k(x)| - g_k |d_k(c)| - e_k) over k and cells: plain grounds stay plain.

    found: `ground_steps` of the picture x; limits: `ground_limits` of the photo c; neither may be empty. d_k
    is the step in colour, Euclidean in RGB, between the mean colours of two cells of k x k pixels side by
    side, across and down, for those k of `GROUND_CELLS` that fit; g_k and e_k stand there too. For small
    cells, e_k is the largest step in the plainest third of the painting: where the photo is plain, the
    picture may have the grain of the painting's plain grounds, and not of its busiest.

    Style losses ask every crop for all of a painting's light and dark, even a crop of a bare wall, and
    normalisation enlarges whatever differences are there: walls break into patches, dark shapes get
    halos, skies turn into relief. More of the photo's own contrast costs nothing. The painting may have any
    size that holds the same cells.
    """
    excess = [
        F.relu(steps - limit).flatten(1).mean(1)
        for pair, pair_limit in zip(found, limits, strict=False)
        for steps, limit in zip(pair, pair_limit, strict=True)
    ]
    return torch.stack(excess).mean(0)


def tv_loss(image: Tensor) -> Tensor:
    """Total variation: mean |difference| of neighbours down plus across."""
    down = (image[:, :, 1:] - image[:, :, :-1]).abs().mean()
    across = (image[:, :, :, 1:] - image[:, :, :, :-1]).abs().mean()
    return down + across


def range_loss(image: Tensor) -> Tensor:
    """mean (x - clamp(x, 0, 1))^2, because values beyond black and white are clipped later."""
    return (image - image.clamp(0, 1)).square().mean()
