"""ComfyUI's IMAGE, [B,H,W,C] in 0..1, the networks' pictures, [B,3,H,W] in 0..1, and Pillow's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ...pictures.tensors import as_picture, as_tensor


def to_rgb(image: Tensor, name: str) -> Tensor:
    """IMAGE [B,H,W,C] of 1, 3 or 4 channels -> [B,3,H,W] float32; transparent areas become white.

    Three channels are not copied. Raises ValueError, one sentence that begins with `name`, for
    anything else.
    """
    if image.dim() != 4 or 0 in image.shape or image.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"{name} has shape {tuple(image.shape)}; it must be [batch, height, width, 1, 3 or 4 channels]."
        )
    image = image.float()
    if image.shape[-1] == 4:
        alpha = image[..., 3:].clamp(0, 1)
        image = image[..., :3] * alpha + (1 - alpha)
    return image.expand(*image.shape[:-1], 3).permute(0, 3, 1, 2)


def to_mask(mask: Tensor, name: str) -> Tensor:
    """MASK [B,H,W] or [H,W] -> [B,H,W] float32 in 0..1.

    Raises ValueError, one sentence that begins with `name`, for anything else.
    """
    mask = mask[None] if mask.dim() == 2 else mask
    if mask.dim() != 3 or 0 in mask.shape:
        raise ValueError(f"{name} has shape {tuple(mask.shape)}; it must be [batch, height, width].")
    return mask.float().clamp(0, 1)


def to_image(picture: Tensor) -> Tensor:
    """[B,3,H,W] -> IMAGE [B,H,W,3] float32, clamped to 0..1."""
    return picture.permute(0, 2, 3, 1).float().clamp(0, 1)


def to_pil(images: Tensor | None, name: str) -> list[Image.Image]:
    """The pictures of an IMAGE batch as RGB; an empty list if nothing is connected. Errors as in `to_rgb`."""
    return [] if images is None else [as_picture(picture) for picture in to_rgb(images, name)]


def from_pil(pictures: Sequence[Image.Image]) -> Tensor:
    """Pictures of one size -> IMAGE [B,H,W,3] float32."""
    return to_image(torch.cat([as_tensor(picture.convert("RGB")) for picture in pictures])).contiguous()
