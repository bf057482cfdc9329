"""Colours of a refined picture: the paintings' colours at the start, some of the photo's at the end."""

from __future__ import annotations

import torch
from torch import Tensor

from ..models.perception.statistics import color_moments
from ..pictures.color import luminance_only
from .palette import match_palette, symmetric_power

# Added to a picture's covariance, so that noise in a plain picture does not become its contrast: the variance
# of a deviation of one per cent.
_NOISE = 1e-4

# Rows that are recoloured at a time: Lab takes many times a picture's memory.
_ROWS = 256


Moments = tuple[Tensor, Tensor]
"""A mean colour [1 or B,3] and a covariance [1 or B,3,3]."""


def match_moments(picture: Tensor, mean: Tensor, covariance: Tensor, own: Moments | None = None) -> Tensor:
    """The picture [B,3,H,W] with the mean colour `mean` [1 or B,3] and `covariance` [1 or B,3,3], in 0..1.

    own: what the picture has of these where it counts, such as `moments_where`; without it, as a whole.

    The linear map that moves colours least (Monge-Kantorovich; Pitié & Kokaram 2007):
    A = Cx^-1/2 (Cx^1/2 C Cx^1/2)^1/2 Cx^-1/2. Values beyond 0..1 are clipped.

    >>> light = match_moments(torch.rand(1, 3, 8, 8), torch.full((1, 3), 0.8), torch.zeros(1, 3, 3))
    >>> round(float(light.mean()), 2)
    0.8
    """
    # Nine numbers, on the CPU, because not every device has float64.
    center, spread, mean, covariance = (
        each.cpu().double() for each in (*(own or color_moments(picture)), mean, covariance)
    )
    spread = spread + _NOISE * torch.eye(3, dtype=spread.dtype)
    root = symmetric_power(spread, 0.5)
    back = symmetric_power(spread, -0.5)
    change = back @ symmetric_power(root @ covariance @ root, 0.5) @ back
    offset = mean[..., None] - change @ center[..., None]
    offset, change = (each.to(picture.dtype).to(picture.device) for each in (offset, change))
    moved = torch.baddbmm(offset, change, picture.flatten(2))
    return moved.clamp_(0, 1).reshape(picture.shape)


def moments_where(picture: Tensor, share: Tensor) -> Moments:
    """Those of a picture [B,3,H,W] whose pixels count as much as `share` [1 or B,H,W] says."""
    counted: Tensor = (share / share.sum((1, 2), keepdim=True).clamp_min(1e-6)).flatten(1)
    colors = picture.flatten(2)
    mean = torch.einsum("bcn,bn->bc", colors, counted.expand(len(colors), -1))
    apart = colors - mean[..., None]
    return mean, torch.einsum("bcn,bn,bdn->bcd", apart, counted.expand(len(colors), -1), apart)


def with_colors_of(photo: Tensor, picture: Tensor, preserve_color: str) -> Tensor:
    """The painted picture with the photo's colours that `preserve_color` keeps; [B,3,H,W] in 0..1."""
    if preserve_color == "histogram":
        # Of the photo itself, as at a strength of 0, the map would change colours by up to a level.
        same = picture.shape == photo.shape and bool(torch.isclose(picture, photo, atol=1e-5).all())
        return picture.contiguous() if same else match_palette(picture, photo)
    if preserve_color == "luminance":
        starts = range(0, picture.shape[2], _ROWS)
        rows = [slice(start, start + _ROWS) for start in starts]
        return torch.cat([luminance_only(photo[:, :, each], picture[:, :, each]) for each in rows], 2)
    return picture.contiguous()
