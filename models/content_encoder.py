"""Content encoder: what is in the picture and where, without how it is painted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .layers import (
    Conv3x3,
    Measure,
    channel_mean_std,
    instance_norm_,
    leaky_relu_,
    pad_to_stride,
    strips,
    unshuffle,
)

CONTENT_STRIDE = 8


@dataclass(frozen=True)
class ContentCode:
    """Structure of B pictures, and the pictures themselves for the identity path.

    fine [B,C4,H/4,W/4] and coarse [B,C8,H/8,W/8] are instance-normalised (H and W rounded up to the
    stride); image [B,3,H,W] in 0..1 is what strength 0 gives back.
    """

    fine: Tensor
    coarse: Tensor
    image: Tensor

    @property
    def batch(self) -> int:
        return self.image.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.image.shape[-2], self.image.shape[-1]

    def to(self, device: torch.device | str) -> ContentCode:
        return ContentCode(self.fine.to(device), self.coarse.to(device), self.image.to(device))

    def expand(self, batch: int) -> ContentCode:
        """One picture repeated `batch` times without a copy; a batch of that size as it is."""
        if self.batch == batch:
            return self
        return replace(
            self,
            fine=self.fine.expand(batch, -1, -1, -1),
            coarse=self.coarse.expand(batch, -1, -1, -1),
            image=self.image.expand(batch, -1, -1, -1),
        )

    def __getitem__(self, index: slice) -> ContentCode:
        return ContentCode(self.fine[index], self.coarse[index], self.image[index])


class ContentEncoder(nn.Module):
    """image [B,3,H,W] in 0..1 -> `ContentCode`.

    A pixel-unshuffle stem brings the picture to 1/4 resolution before the first convolution; a
    residual block at 1/8 widens the view.
    """

    def __init__(self, fine_channels: int, coarse_channels: int):
        super().__init__()
        self.stem = Conv3x3(48, fine_channels)
        self.down = Conv3x3(fine_channels, coarse_channels, stride=2)
        self.conv1 = Conv3x3(coarse_channels, coarse_channels)
        self.conv2 = Conv3x3(coarse_channels, coarse_channels, gain=0.3)

    def forward(self, image: Tensor, measure: Measure = channel_mean_std) -> ContentCode:
        cells = unshuffle(pad_to_stride(image, CONTENT_STRIDE))
        if torch.is_grad_enabled():
            fine = leaky_relu_(self.stem(cells))
        else:
            fine = torch.empty(
                (len(cells), self.stem.out_channels, *cells.shape[2:]),
                dtype=cells.dtype,
                device=cells.device,
                memory_format=torch.channels_last,
            )
            for strip in strips(fine):
                strip.of(fine).copy_(leaky_relu_(self.stem(strip.widened(1).of(cells), **strip.borders)))
        coarse = leaky_relu_(self.down(fine))
        coarse = coarse + self.conv2(leaky_relu_(self.conv1(coarse)))
        return ContentCode(instance_norm_(fine, measure), instance_norm_(coarse, measure), image)
