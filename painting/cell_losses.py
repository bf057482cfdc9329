"""Losses on the means of cells: light, dark and colours stay where they belong.

Style losses do not say where a painting's light, dark and colours belong, and relu4_1 hardly sees them. So
faces turn half dark, lamps black, and a white board blue. `light_loss` compares the brightness of cells with
the photo's, both in units of their own deviation, so that the painting still decides how light, how dark and
how strong. `patch_loss` compares their colours with those of the picture that refining begins with: the
network gives like things like colours, and has no stains of the painting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..pictures.color import REC_601, luma

# Sides of the cells in pixels of the size being refined. At the coarsest size they are an eighth to a
# sixteenth of the picture and place its masses; at the finest they are as small as features of a face.
CELLS = (8, 16)

# Strokes are free up to the size of a cell, and that is in proportion to the picture: the cells of patches
# are twice as large in a picture of twice this mean side. In smaller pictures a cell of 8 pixels is a large
# part of all, so patches count less.
_PATCH_SIDE = 256

# The mean side of a picture in windows of `smooth_color_loss`: masses keep their colours, and what is smaller
# takes the paintings'. Pixels of a small picture are free, too, so a window reaches at least so far.
_WINDOWS, _LEAST_REACH = 40, 2

# Smaller deviations are not divided by: a twentieth of them is the noise of a plain photo.
_EVEN = 0.03
_DARKEST_VARIANCE = 1e-4

# The variance that pixels have at least: a picture of one grey has none.
_GRAY_VARIANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Light:
    """The photo's light in cells of one side.

    standard [B,K,h,w]: luma by each region's mean and deviation; shares [1 or B,K,h,w]: how much each region
    rules in a cell, as parts of 1 over all regions and cells; trust [B,K]: from 0 for an even photo to 1.
    """

    cell: int
    standard: Tensor
    shares: Tensor
    trust: Tensor


def photo_light(photo: Tensor, shares: Tensor | None = None) -> list[Light]:
    """The light of a photo [B,3,H,W] for every side of `CELLS` that fits twice.

    shares [1 or B,K,H,W] with sums 1 over K regions; None: the whole picture is one.
    """
    found = []
    for cell in CELLS:
        if 2 * cell > min(photo.shape[-2:]):
            break
        cells = F.avg_pool2d(luma(photo), cell)
        ruled = torch.ones_like(cells[:1]) if shares is None else F.avg_pool2d(shares, cell)
        ruled = ruled / ruled.sum((1, 2, 3), keepdim=True)
        standard, variance = _standard(cells, ruled)
        found.append(Light(cell, standard, ruled, variance / (variance + _EVEN**2)))
    return found


def light_loss(picture: Tensor, gradient: Tensor, lights: list[Light], weight: float) -> Tensor:
    """Half the mean squared difference to the photo's light, [B]: 1 - the correlation where it is trusted.

    picture, gradient: [B,3,H,W]; adds weight times the gradient of the sum over the batch. `lights` is not
    empty. The graph holds cells only, so that memory does not grow with the picture.
    """
    losses = []
    for light in lights:
        cells = F.avg_pool2d(luma(picture), light.cell).requires_grad_()
        with torch.enable_grad():
            standard, _ = _standard(cells, light.shares)
            error = (standard - light.standard).square() * light.shares * light.trust[..., None, None]
            loss = error.sum((1, 2, 3)) / 2 / len(lights)
            (change,) = torch.autograd.grad(loss.sum(), cells)
        pixels = _pixels_of_cells(gradient, light.cell, change)
        for channel, share in enumerate(REC_601):
            pixels[:, channel] += change[:, 0, :, None, :, None] * (weight * share / light.cell**2)
        losses.append(loss.detach())
    return torch.stack(losses).sum(0)


@dataclass(frozen=True, eq=False)
class CellColors:
    """The mean colours of cells of one side, [B,3,h,w], the variance of the pixels' colours [B], and how much
    the cells count, 0..1."""

    cell: int
    mean: Tensor
    variance: Tensor
    share: float


def cell_colors(picture: Tensor) -> list[CellColors]:
    """The colours of a picture [B,3,H,W] for every side of cells that fits twice."""
    variance = _color_variance(picture)
    height, width = picture.shape[-2:]
    times = math.sqrt(height * width) / _PATCH_SIDE
    return [
        CellColors(cell, F.avg_pool2d(picture, cell), variance, min(1.0, times**2))
        for cell in (max(1, round(times)) * each for each in CELLS)
        if 2 * cell <= min(height, width)
    ]


def smooth_color_loss(picture: Tensor, gradient: Tensor, wanted: Tensor, weight: float) -> Tensor:
    """Mean squared difference to the colours of another picture, both as means around each pixel, over the
    variance of its colours, [B].

    picture, gradient, wanted: [B,3,H,W]; adds weight times the gradient of the sum over the batch. Means
    around pixels give no stairs along edges, as cells would.
    """
    scale = 1 / (_color_variance(wanted) * wanted[0].numel())
    error = _around(picture - wanted)
    loss = error.square().sum((1, 2, 3)) * scale
    gradient.add_(_around(error).mul_(2 * weight * scale[:, None, None, None]))
    return loss


def _around(picture: Tensor) -> Tensor:
    """The sum around each pixel over the window's area, nothing beyond the border; its own derivative."""
    height, width = picture.shape[-2:]
    reach = max(_LEAST_REACH, round(math.sqrt(height * width) / _WINDOWS) // 2)
    down, across = min(reach, height - 1), min(reach, width - 1)
    rows = F.avg_pool2d(picture, (2 * down + 1, 1), 1, (down, 0))
    return F.avg_pool2d(rows, (1, 2 * across + 1), 1, (0, across))


def _color_variance(picture: Tensor) -> Tensor:
    """That of the pixels' colours, [B]."""
    return (picture - picture.mean((2, 3), keepdim=True)).square().mean((1, 2, 3)) + _GRAY_VARIANCE


def patch_loss(picture: Tensor, gradient: Tensor, colors: list[CellColors], weight: float) -> Tensor:
    """Mean squared difference of the cells' colours to `colors`, over the variance of the colours, [B]; less
    of it in small pictures.

    picture, gradient: [B,3,H,W]; adds weight times the gradient of the sum over the batch. `colors` is not
    empty.
    """
    losses = []
    for each in colors:
        error = F.avg_pool2d(picture, each.cell) - each.mean
        scale = each.share / (each.variance * error[0].numel() * len(colors))
        losses.append(error.square().sum((1, 2, 3)) * scale)
        change = error * (2 * weight / each.cell**2 * scale[:, None, None, None])
        _pixels_of_cells(gradient, each.cell, error).add_(change[:, :, :, None, :, None])
    return torch.stack(losses).sum(0)


def _standard(cells: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Cells [B,1,h,w] by the mean and deviation of each region [B,K,h,w], and the variances [B,K]."""
    areas = shares.sum((2, 3), keepdim=True).clamp_min(1e-6)
    mean = (cells * shares).sum((2, 3), keepdim=True) / areas
    variance = ((cells - mean).square() * shares).sum((2, 3), keepdim=True) / areas
    return (cells - mean) / (variance + _DARKEST_VARIANCE).sqrt(), variance[..., 0, 0]


def _pixels_of_cells(gradient: Tensor, cell: int, cells: Tensor) -> Tensor:
    """A view of the pixels [B,3,h,cell,w,cell] that lie in cells [B,…,h,w]."""
    height, width = cells.shape[-2] * cell, cells.shape[-1] * cell
    pixels: Tensor = gradient[..., :height, :width].unflatten(3, (-1, cell)).unflatten(2, (-1, cell))
    return pixels
