"""What a refined picture looks like so far, and how it is laid over the one before."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ...painting.colors import with_colors_of
from ...painting.sources import resized
from ...pictures.tensors import as_picture
from ..bridge.progress import PREVIEW_SIZE


@dataclass(frozen=True, eq=False)
class RefinePreview:
    """What a result looks like so far, small: photo and start [1,3,h,w], mask [1,h,w]."""

    photo: Tensor
    start: Tensor
    mask: Tensor | None
    preserve_color: str

    @classmethod
    def reduced(cls, photo: Tensor, start: Tensor, mask: Tensor | None, preserve_color: str) -> RefinePreview:
        height, width = photo.shape[-2:]
        scale = min(1, PREVIEW_SIZE / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        return cls(resized(photo, size), resized(start, size), mask, preserve_color)

    def picture(self, refined: Tensor) -> Image.Image:
        """`refined` [1,3,H,W] of any size as it will be: in the photo's colours if so chosen, in the mask."""
        small = resized(refined, (self.photo.shape[-2], self.photo.shape[-1]))
        return as_picture(
            laid_over(self.start, with_colors_of(self.photo, small, self.preserve_color), self.mask)
        )


def laid_over(start: Tensor, painted: Tensor, mask: Tensor | None) -> Tensor:
    """`painted` where the mask [1,h,w] is 1, `start` where it is 0; both [1,3,H,W]."""
    if mask is None:
        return painted
    share = mask[:, None]
    if share.shape[-2:] != start.shape[-2:]:
        share = F.interpolate(share, start.shape[-2:], mode="bilinear", antialias=True, align_corners=False)
    return torch.lerp(start, painted, share.expand_as(start))
