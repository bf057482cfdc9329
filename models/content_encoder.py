"""Content encoder: what is in the picture and where, without how it is painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .batches import entry, repeated
from .grid import GRID
from .layers import Conv3x3, pad_around, pad_to_stride, unshuffle
from .passes import ForwardPass
from .strips import Strip

CONTENT_STRIDE = 8


@dataclass(frozen=True)
class ContentCode:
    """Structure of B pictures, and the pictures themselves for the identity path.

    fine [B,C4,H'/4,W'/4] and coarse [B,C8,H'/8,W'/8] are instance-normalised (H' and W': with border);
    image [B,3,H,W] in 0..1 is what strength 0 gives back; corner [B,2], on the CPU, is how many pixels of
    border are above each picture and left of it.
    """

    fine: Tensor
    coarse: Tensor
    image: Tensor
    corner: Tensor

    @property
    def batch(self) -> int:
        return self.image.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.image.shape[-2], self.image.shape[-1]

    @classmethod
    def cat(cls, codes: Sequence[ContentCode]) -> ContentCode:
        """The pictures of all `codes`, which must have one size, as one batch."""
        if len(codes) == 1:
            return codes[0]
        return cls(
            fine=torch.cat([code.fine for code in codes]),
            coarse=torch.cat([code.coarse for code in codes]),
            image=torch.cat([code.image for code in codes]),
            corner=torch.cat([code.corner for code in codes]),
        )

    def to(self, device: torch.device | str) -> ContentCode:
        """On that device; `corner` stays on the CPU."""
        return replace(
            self, fine=self.fine.to(device), coarse=self.coarse.to(device), image=self.image.to(device)
        )

    def expand(self, batch: int) -> ContentCode:
        """One picture, `batch` times without a copy; a batch of that size as it is."""
        return self if self.batch == batch else self._each(lambda tensor: repeated(tensor, batch))

    def picture(self, i: int) -> ContentCode:
        """Picture i, or the only one, as a batch of one."""
        return self._each(lambda tensor: entry(tensor, i))

    def __getitem__(self, index: slice) -> ContentCode:
        return self._each(lambda tensor: tensor[index])

    def _each(self, change: Callable[[Tensor], Tensor]) -> ContentCode:
        return ContentCode(change(self.fine), change(self.coarse), change(self.image), change(self.corner))

    def cut(self, painted: Tensor) -> Tensor:
        """What was painted, [B,3,H',W'], without its borders: the pictures [B,3,H,W]."""
        height, width = self.size
        corners = self.corner.tolist()
        pictures = [
            picture[:, :, top : top + height, left : left + width]
            for picture, (top, left) in zip(torch.split(painted, 1), corners, strict=True)
        ]
        return pictures[0] if len(pictures) == 1 else torch.cat(pictures)


class ContentEncoder(nn.Module):
    """image [B,3,H,W] in 0..1 -> `ContentCode`.

    A pixel-unshuffle stem brings the picture to 1/4 resolution before the first convolution; a
    residual block at 1/8 widens the view.
    """

    normalized = ("content_encoder.fine", "content_encoder.coarse")
    """The names of its normalizations."""

    def __init__(self, fine_channels: int, coarse_channels: int):
        super().__init__()
        self.stem = Conv3x3(48, fine_channels)
        self.down = Conv3x3(fine_channels, coarse_channels, stride=2)
        self.conv1 = Conv3x3(coarse_channels, coarse_channels)
        self.conv2 = Conv3x3(coarse_channels, coarse_channels, gain=0.3)

    def forward(self, image: Tensor, how: ForwardPass, corner: Tensor | None = None) -> ContentCode:
        """Behind a border of `corner` [B,2] pixels of 0 to 3; without, the picture begins at the corner."""
        how.check(self, image)
        if corner is None:
            padded = pad_to_stride(image, CONTENT_STRIDE)
            corner = torch.zeros(len(image), 2, dtype=torch.long)
        else:
            padded = pad_around(image, corner, GRID - 1, CONTENT_STRIDE)
        cells = unshuffle(padded)

        def fine_rows(strip: Strip) -> Tensor:
            return how.activate(self.stem(strip.widened(1).rows(cells), **strip.borders))

        # Edges and texture at 1/4, then shapes at 1/8.
        size = (len(cells), self.stem.out_channels, *cells.shape[2:])
        fine = how.by_rows(fine_rows, size, like=cells)
        coarse = how.activate(self.down(fine))
        coarse = coarse + self.conv2(how.activate(self.conv1(coarse)))
        # Without mean and deviation per channel, the style decides light and contrast.
        fine = how.normalize("content_encoder.fine", fine)
        coarse = how.normalize("content_encoder.coarse", coarse)
        return ContentCode(fine, coarse, image, corner)
