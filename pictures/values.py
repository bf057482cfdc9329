"""The contract of pictures and masks, held where they come in: floating point, finite, 0..1."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def unit_range(values: Tensor, name: str, entry: str = "", kind: str = "picture") -> Tensor:
    """`values` [B,...] of floating point, clamped to 0..1; the same tensor if nothing lies outside.

    Values above 1, as EXR files have them, are as bright as white. One pass over the values decides, and
    only once does it wait for a GPU. Raises ValueError, one sentence, if a value is not finite: with
    `entry`, such as "frame", it says "Frame 2 of 3 in NAME", otherwise "NAME 2 of 3". `kind` is what to give.

    >>> unit_range(torch.tensor([[0.5, 7.0]]), "image").tolist()
    [[0.5, 1.0]]
    """
    # NaN makes both NaN, and an infinite value one of them infinite.
    low, high = torch.stack(torch.aminmax(values.detach())).tolist()
    if math.isfinite(low) and math.isfinite(high):
        return values if low >= 0 and high <= 1 else values.clamp(0, 1)
    found = torch.isfinite(values.detach()).flatten(1).all(1).tolist().index(False) + 1
    where = name
    if len(values) > 1:
        number = f"{found} of {len(values)}"
        where = f"{entry.capitalize()} {number} in {name}" if entry else f"{name} {number}"
    raise ValueError(f"{where} has values that are not finite; give {kind}s with values in 0..1.")


def check_floating(values: object, name: str, ending: str = " in 0..1") -> Tensor:
    """`values` as a tensor of floating point.

    Raises ValueError, one sentence that begins with `name`, for anything else: nobody knows whether whole
    numbers mean 0..1 or 0..255.
    """
    if not isinstance(values, Tensor):
        raise ValueError(f"{name} is of the type {type(values).__name__}; give a tensor{ending}.")
    if values.layout != torch.strided or values.is_nested or values.is_meta:
        kind = "without values (device meta)" if values.is_meta else "sparse or nested"
        raise ValueError(f"{name} is a tensor that is {kind}; give a dense tensor{ending}.")
    if not values.is_floating_point():
        raise ValueError(f"{name} is {values.dtype}; convert it to floating point{ending}.")
    return values


def checked_mask(mask: Tensor, name: str) -> Tensor:
    """A mask [B,h,w] of floating point or bool, at least float32 and in 0..1.

    Raises ValueError, one sentence that begins with `name`, for another shape, whole numbers or values that
    are not finite (`unit_range`).
    """
    if isinstance(mask, Tensor) and mask.dtype == torch.bool:
        mask = mask.float()
    mask = check_floating(mask, name)
    if mask.dim() != 3 or 0 in mask.shape:
        raise ValueError(f"{name} has shape {tuple(mask.shape)}; it must be [batch, height, width].")
    return unit_range(mask.float() if mask.dtype.itemsize < 4 else mask, name, kind="mask")


def checked_pictures(image: Tensor, name: str, dtype: torch.dtype) -> Tensor:
    """A picture [B,3,H,W] of floating point, in 0..1 and in the network's type `dtype`.

    Raises ValueError, one sentence that begins with `name`, for another shape, whole numbers or values that
    are not finite.
    """
    image = check_floating(image, name)
    if image.dim() != 4 or image.shape[1] != 3 or 0 in image.shape:
        raise ValueError(f"{name} has shape {tuple(image.shape)}; it must be [batch, 3, height, width].")
    return unit_range(image.to(dtype), name)
