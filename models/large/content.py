"""The content encoder, strip by strip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..content_encoder import CONTENT_STRIDES, LEAST_SIDE, PADDED_TO, ContentCode, ContentEncoder
from ..grid import GRID, PixelRows, corner_of_rows
from ..layers import LEAKY_SLOPE, Conv3x3, unshuffle
from ..normalization import wide
from ..padding import padded_size, reflection_index
from ..passes import Frozen, Rows
from ..quantization import unquantized_rows
from ..strips import Strip
from .maps import MapStore, StoredMap


@dataclass(frozen=True)
class LargeContent:
    """A `ContentCode` of one picture whose maps are stored: by their names, with the picture's size (H, W)
    and its corner [1,2]."""

    maps: Mapping[str, StoredMap]
    size: tuple[int, int]
    corner: Tensor

    @classmethod
    def from_code(cls, code: ContentCode, store: MapStore) -> LargeContent:
        """A code of one picture that lies in the main memory; it stays as it is."""
        maps = {
            name: StoredMap.from_values(wide(each), store.device, store.strip_bytes)
            for name, each in code.maps.items()
        }
        return cls(maps, code.size, code.corner)

    def code(self, image: Tensor) -> ContentCode:
        """The code of the picture `image` [1,3,H,W] with its maps in the main memory."""
        return ContentCode(
            **{name: each.whole() for name, each in self.maps.items()}, image=image, corner=self.corner
        )

    def close(self) -> None:
        """Give the maps' room back."""
        for each in self.maps.values():
            each.close()


@torch.inference_mode()
def encode_large_content(
    encoder: ContentEncoder, pixels: PixelRows, size: tuple[int, int], store: MapStore
) -> LargeContent:
    """What `StyleGAN.encode_content` finds in one picture of `size` (H, W), from its rows."""
    how = Frozen()
    corner = corner_of_rows(pixels, size)
    cells, rows_of_cells = _cells(unquantized_rows(pixels, size[0]), size, corner, store.device)

    def fine_rows(strip: Strip) -> Tensor:
        return how.activate(encoder.stem(rows_of_cells(strip.widened(1)), **strip.borders))

    # At 1/4 and at 1/8, strip by strip; the blocks at 1/8 see rows beyond a strip's border.
    fine = store.computed(fine_rows, (encoder.stem.out_channels, *cells))
    coarse = _reduced(encoder.down8, fine, store)

    def coarse_rows(strip: Strip) -> Tensor:
        middle = strip.widened(1)
        h = how.activate(encoder.conv1(coarse.rows(middle.widened(1)), **middle.borders))
        painted: Tensor = encoder.conv2(h, **strip.borders)
        return painted.add_(coarse.rows(strip))

    coarse = coarse.replaced(coarse_rows, store.strip_bytes).normalized(store.strip_bytes)
    # At 1/16 and 1/32, and instance normalisation by the statistics of the whole map.
    wide = _reduced(encoder.down16, coarse, store)
    widest = _reduced(encoder.down32, wide, store)
    fine, wide, widest = (each.normalized(store.strip_bytes) for each in (fine, wide, widest))
    maps = zip(CONTENT_STRIDES, (fine, coarse, wide, widest), strict=True)
    return LargeContent(dict(maps), size, corner)


def _cells(
    pixels: PixelRows, size: tuple[int, int], corner: Tensor, device: torch.device
) -> tuple[tuple[int, int], Rows]:
    """How many rows and columns of cells the picture has behind its border, and what computes the rows."""
    height, width = padded_size(size, PADDED_TO, LEAST_SIDE, border=GRID - 1)
    top, left = corner[0].tolist()
    rows = reflection_index(size[0], top, height - size[0] - top, torch.device("cpu"))
    right = width - size[1] - left
    columns = reflection_index(size[1], left, right, device)
    reflects = max(left, right) < size[1]

    def cells(strip: Strip) -> Tensor:
        wanted = rows[strip.start * GRID : strip.stop * GRID]
        first, last = int(wanted.min()), int(wanted.max())
        read = pixels(first, last + 1).to(device)
        if len(wanted) != read.shape[2] or not bool((wanted.diff() > 0).all()):
            read = read[:, :, (wanted - first).to(device)]
        read = F.pad(read, (left, right, 0, 0), mode="reflect") if reflects else read[:, :, :, columns]
        return unshuffle(read)

    return (height // GRID, width // GRID), cells


def _reduced(conv: Conv3x3, x: StoredMap, store: MapStore) -> StoredMap:
    """The activated output of a convolution of stride 2."""
    height, width = x.size[1:]

    def rows(strip: Strip) -> Tensor:
        # Row r of the output sees the rows 2 r - 1 to 2 r + 1; the last one may lie beyond the map.
        seen = Strip(max(0, 2 * strip.start - 1), min(height, 2 * strip.stop), height)
        reduced = conv(x.rows(seen), top=strip.start == 0, bottom=2 * strip.stop > height)
        return F.leaky_relu(reduced, LEAKY_SLOPE, inplace=True)

    return store.computed(rows, (conv.out_channels, (height + 1) // 2, (width + 1) // 2))
