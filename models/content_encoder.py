"""Content encoder: what is in the picture and where, without how it is painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .batches import entry, repeated
from .compiling import Compilable
from .grid import GRID
from .layers import Conv3x3, unshuffle
from .padding import pad_around, pad_to_stride
from .passes import ForwardPass
from .strips import Strip

CONTENT_STRIDES = {"fine": 4, "coarse": 8, "wide": 16, "widest": 32}
"""The maps of a content code, and the side in pixels of their cells."""

# Pictures are padded to multiples of this. The wide maps round up and hang over at the right and the bottom:
# with multiples of 32 a picture of 1024 pixels would take 5 % longer.
PADDED_TO = 8

# From this side on, the map at 1/32 has the two cells that a convolution needs.
LEAST_SIDE = 40


@dataclass(frozen=True)
class ContentCode:
    """Structure of B pictures, and the pictures themselves for the identity path.

    fine [B,C4,H'/4,W'/4], coarse [B,C8,H'/8,W'/8], wide [B,C16,H'/16,W'/16] and widest [B,C32,H'/32,W'/32],
    rounded up, are instance-normalised (H' and W': with border); image [B,3,H,W] in 0..1 is what strength 0
    gives back; corner [B,2], on the CPU, is how many pixels of border are above each picture and left of it.
    """

    fine: Tensor
    coarse: Tensor
    wide: Tensor
    widest: Tensor
    image: Tensor
    corner: Tensor

    @property
    def batch(self) -> int:
        return self.image.shape[0]

    @property
    def maps(self) -> dict[str, Tensor]:
        """The feature maps by their names, from fine to widest."""
        return {name: getattr(self, name) for name in CONTENT_STRIDES}

    @property
    def cells(self) -> dict[str, tuple[int, int]]:
        """How many rows and columns of cells each map has."""
        return {name: (each.shape[-2], each.shape[-1]) for name, each in self.maps.items()}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.image.shape[-2], self.image.shape[-1]

    @classmethod
    def cat(cls, codes: Sequence[ContentCode]) -> ContentCode:
        """The pictures of all `codes`, which must have one size, as one batch."""
        if len(codes) == 1:
            return codes[0]
        return cls(*(torch.cat([getattr(code, field.name) for code in codes]) for field in fields(cls)))

    def to(self, device: torch.device | str) -> ContentCode:
        """On that device; `corner` stays on the CPU."""
        return replace(self._each(lambda tensor: tensor.to(device)), corner=self.corner)

    def expand(self, batch: int) -> ContentCode:
        """One picture, `batch` times without a copy; a batch of that size as it is."""
        return self if self.batch == batch else self._each(lambda tensor: repeated(tensor, batch))

    def picture(self, i: int) -> ContentCode:
        """Picture i, or the only one, as a batch of one."""
        return self._each(lambda tensor: entry(tensor, i))

    def __getitem__(self, index: slice) -> ContentCode:
        return self._each(lambda tensor: tensor[index])

    def _each(self, change: Callable[[Tensor], Tensor]) -> ContentCode:
        # Not those of a subclass, which may hold more than tensors.
        return ContentCode(*(change(getattr(self, field.name)) for field in fields(ContentCode)))

    def cut(self, painted: Tensor) -> Tensor:
        """What was painted, [B,3,H',W'], without its borders: the pictures [B,3,H,W]."""
        height, width = self.size
        corners = self.corner.tolist()
        pictures = [
            picture[:, :, top : top + height, left : left + width]
            for picture, (top, left) in zip(torch.split(painted, 1), corners, strict=True)
        ]
        return pictures[0] if len(pictures) == 1 else torch.cat(pictures)


class ContentEncoder(Compilable):
    """image [B,3,H,W] in 0..1 -> `ContentCode`.

    A pixel-unshuffle stem brings the picture to 1/4 resolution before the first convolution; a
    residual block at 1/8 widens the view, and two more levels see a whole face or tree at once.
    """

    normalized = tuple(f"content_encoder.{name}" for name in CONTENT_STRIDES)
    """The names of its normalisations."""

    def __init__(self, fine_channels: int, coarse_channels: int, wide_channels: int):
        super().__init__()
        self.stem = Conv3x3(48, fine_channels)
        self.down8 = Conv3x3(fine_channels, coarse_channels, stride=2)
        self.conv1 = Conv3x3(coarse_channels, coarse_channels)
        self.conv2 = Conv3x3(coarse_channels, coarse_channels, gain=0.3)
        self.down16 = Conv3x3(coarse_channels, wide_channels, stride=2)
        self.down32 = Conv3x3(wide_channels, wide_channels, stride=2)

    def forward(self, image: Tensor, how: ForwardPass, corner: Tensor | None = None) -> ContentCode:
        """Behind a border of `corner` [B,2] pixels of 0 to 3; without, the picture begins at the corner."""
        how.check(self, image)
        if corner is None:
            padded = pad_to_stride(image, PADDED_TO, LEAST_SIDE)
            corner = torch.zeros(len(image), 2, dtype=torch.long)
        else:
            padded = pad_around(image, corner, GRID - 1, PADDED_TO, LEAST_SIDE)
        cells = how.entered(unshuffle(padded))

        def fine_rows(strip: Strip) -> Tensor:
            return how.activate(self.stem(strip.widened(1).rows(cells), **strip.borders))

        # Edges and texture at 1/4, then shapes at 1/8.
        size = (len(cells), self.stem.out_channels, *cells.shape[2:])
        fine = how.by_rows(fine_rows, size, like=cells)
        coarse = how.activate(self.down8(fine))
        coarse = coarse + self.conv2(how.activate(self.conv1(coarse)))
        # Without mean and deviation per channel, the style decides light and contrast.
        fine = how.normalize("content_encoder.fine", fine)
        coarse = how.normalize("content_encoder.coarse", coarse)

        # The levels beyond start from what is normalised, so that they need not learn to do without contrast.
        wide = how.activate(self.down16(coarse))
        widest = how.activate(self.down32(wide))
        wide = how.normalize("content_encoder.wide", wide)
        widest = how.normalize("content_encoder.widest", widest)
        return ContentCode(fine, coarse, wide, widest, image, corner)
