"""ComfyUI's IMAGE, [B,H,W,C] in 0..1, the networks' pictures, [B,3,H,W] in 0..1, and Pillow's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ...pictures.tensors import as_picture, as_tensor
from ...pictures.values import check_floating, checked_mask, unit_range


def to_rgb(image: Tensor, name: str, socket: str, entry: str = "picture") -> Tensor:
    """IMAGE [B,H,W,C] of 1, 3 or 4 channels -> [B,3,H,W] float32 in 0..1; transparent areas become white.

    Values outside 0..1 are clamped; otherwise three channels are not copied. Raises ValueError, one sentence,
    for anything else: it begins with `name`, or says which `entry` of the input `socket` is not finite.
    """
    image = check_floating(image, name)
    if image.dim() != 4 or 0 in image.shape or image.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"{name} has shape {tuple(image.shape)}; it must be [batch, height, width, 1, 3 or 4 channels]."
        )
    image = unit_range(image.float(), socket, entry, entry)
    if image.shape[-1] == 4:
        alpha = image[..., 3:]
        image = image[..., :3] * alpha + (1 - alpha)
    return image.expand(*image.shape[:-1], 3).permute(0, 3, 1, 2)


def to_mask(mask: Tensor, name: str) -> Tensor:
    """MASK [B,H,W] or [H,W] -> [B,H,W] float32 in 0..1.

    Raises ValueError, one sentence that begins with `name` or says which mask of several is not finite.
    """
    if isinstance(mask, Tensor) and mask.dim() == 2:
        mask = mask[None]
    return checked_mask(mask, name).float()


def to_image(picture: Tensor) -> Tensor:
    """[B,3,H,W] -> IMAGE [B,H,W,3] float32, clamped to 0..1."""
    return picture.permute(0, 2, 3, 1).float().clamp(0, 1)


def to_pil(images: Tensor | None, name: str, socket: str) -> list[Image.Image]:
    """The pictures of an IMAGE batch as RGB; an empty list if nothing is connected. Errors as in `to_rgb`."""
    return [] if images is None else [as_picture(picture) for picture in to_rgb(images, name, socket)]


def from_pil(pictures: Sequence[Image.Image]) -> Tensor:
    """Pictures of one size -> IMAGE [B,H,W,3] float32."""
    return to_image(torch.cat([as_tensor(picture.convert("RGB")) for picture in pictures])).contiguous()
