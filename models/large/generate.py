"""The generator, strip by strip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ..coded_colors import ColorChange
from ..content_encoder import CONTENT_STRIDES
from ..generator import Generator, Level, ModulatedBlock, SharesByMap
from ..layer_statistics import COLORS, ColorMoments, ColorSums, projected
from ..layers import LEAKY_SLOPE, Conv1x1
from ..noise import PlacedNoise
from ..normalization import adain_affine
from ..passes import Frozen, Rows, modulated_rows, with_grain
from ..region_statistics import RegionStatistics
from ..strips import Strip, strips
from .content import LargeContent
from .maps import MapStore, StoredMap


@dataclass(frozen=True)
class LargePainting:
    """One picture in S styles w [S,L,D], each place in its own mixture where there are `shares`."""

    generator: Generator
    content: LargeContent
    w: Tensor
    noise: PlacedNoise
    store: MapStore
    shares: SharesByMap
    statistics: RegionStatistics | None
    """Those of the styles where there are `shares`."""

    keep_content: bool
    """Whether the content's maps are needed again. Otherwise the painting takes their place."""

    @torch.inference_mode()
    def rows(self) -> Iterator[tuple[int, Tensor]]:
        """The painted picture from top to bottom, a strip at a time: its first row, and pixels around 0..1
        [1,3,rows,W]."""
        codes = iter(self.w.unbind(1))
        x: StoredMap | None = None
        for level in self.generator.levels:
            entered = self._entered(level, x, next(codes))
            if x is not None:
                x.close()
            x = entered
            for k, block in enumerate(level.blocks):
                x = self._painted(level, k, cast(ModulatedBlock, block), x, next(codes))
        if x is None:
            raise ValueError("A generator without levels paints nothing.")
        scale, shift = self.generator.palette(next(codes))
        affine = adain_affine(scale, shift, self._mean_std("generator.palette", x))
        colored = modulated_rows(x.rows, affine, self.shares.get("fine"))
        pixels = self.generator.pixel_rows(colored, Frozen())
        yield from self._pixels(x, self._recolored(x, pixels))
        x.close()

    def _recolored(self, x: StoredMap, pixels: Rows) -> Rows:
        """The `pixels` of the cells of x with the paintings' colours. They are painted twice: first for their
        own moments."""
        colors, shares = self.generator.colors, self.shares.get("fine")
        if colors is None:
            return pixels
        change = ColorChange.between(self._color_moments(x, pixels), colors(self.w))
        return lambda strip: change.applied(pixels(strip), shares, _of_pixels(strip))

    def _color_moments(self, x: StoredMap, pixels: Rows) -> ColorMoments:
        if self.statistics is None:
            total = ColorSums()
            for strip in strips((1, *x.size), x.device, self.store.strip_bytes):
                total.add(pixels(strip))
            return ColorMoments.of_projections(*total.statistics())
        height, width = (side * CONTENT_STRIDES["fine"] for side in x.size[1:])
        rows = _in_pixels(pixels)
        found = self.statistics.of_rows(
            COLORS,
            lambda strip: projected(rows(strip)),
            (1, 6, height, width),
            x.device,
            self.store.strip_bytes,
        )
        return ColorMoments.of_projections(*found)

    def _entered(self, level: Level, before: StoredMap | None, w: Tensor) -> StoredMap:
        """The level's content in the style's colours, over what was painted at the level `before`."""
        features = self.content.maps[level.name]
        scale, shift = level.entry(w)
        affine = adain_affine(scale, shift, self._mean_std(f"generator.{level.name}_entry", features))
        modulated = modulated_rows(features.rows, affine, self.shares.get(level.name))
        if level.up is None or before is None:
            entered = modulated
        else:
            enlarged = _enlarged(level.up, before, features.size[2])
            entered = lambda strip: modulated(strip).add_(enlarged(strip))  # noqa: E731
        if self.keep_content:
            return self.store.computed(entered, features.size)
        return features.replaced(entered, self.store.strip_bytes)

    def _painted(self, level: Level, k: int, block: ModulatedBlock, x: StoredMap, w: Tensor) -> StoredMap:
        """x after the level's block number k."""
        share = self.shares.get(level.name)
        drive = block.driven_by(w, Frozen())
        affine = adain_affine(drive.scale, drive.shift, self._mean_std(block.name, x))
        modulated = modulated_rows(x.rows, affine, share)
        grained = with_grain(modulated, self._noise(level.name, k, x), drive.strength, share)
        rows = block.painted_rows(x.rows, grained, drive.kernels, Frozen(), share)
        return x.replaced(rows, self.store.strip_bytes)

    def _mean_std(self, layer: str, x: StoredMap) -> tuple[Tensor, Tensor]:
        """Those of x, or of x in each of the styles alone."""
        if self.statistics is None:
            return x.mean_std
        return self.statistics.of_rows(layer, x.rows, (1, *x.size), x.device, self.store.strip_bytes)

    def _noise(self, name: str, k: int, x: StoredMap) -> Rows:
        stride = CONTENT_STRIDES[name]

        def rows(strip: Strip) -> Tensor:
            above = torch.tensor([[strip.start * stride, 0]])
            size = strip.stop - strip.start, x.size[2]
            return self.noise.maps(stride, 1, size, self.content.corner - above, x.device, first=k)

        return rows

    def _pixels(self, x: StoredMap, rows: Rows) -> Iterator[tuple[int, Tensor]]:
        """The picture without its border."""
        height, width = self.content.size
        top, left = self.content.corner[0].tolist()
        stride = CONTENT_STRIDES["fine"]
        for strip in strips((1, *x.size), x.device, self.store.strip_bytes):
            first, last = max(top, strip.start * stride), min(top + height, strip.stop * stride)
            if first < last:
                begin = first - strip.start * stride
                pixels = rows(strip)[:, :, begin : begin + last - first, left : left + width]
                yield first - top, pixels


def _of_pixels(strip: Strip) -> Strip:
    """The pixels of a strip of cells."""
    stride = CONTENT_STRIDES["fine"]
    return Strip(strip.start * stride, strip.stop * stride, strip.height * stride)


def _in_pixels(rows: Rows) -> Rows:
    """What computes the pixels of a strip of cells, for a strip of pixels."""
    stride = CONTENT_STRIDES["fine"]

    def pixels(strip: Strip) -> Tensor:
        cells = Strip(strip.start // stride, -(-strip.stop // stride), strip.height // stride)
        first = strip.start - cells.start * stride
        return rows(cells)[:, :, first : first + strip.stop - strip.start]

    return pixels


def _enlarged(up: Conv1x1, x: StoredMap, width: int) -> Rows:
    """x through `up`, with twice the rows and as many columns as `width` says."""
    height = x.size[1]

    def rows(strip: Strip) -> Tensor:
        # Between the centres of two cells, bilinearly: a row beyond the strip on either side.
        seen = Strip(max(0, strip.start // 2 - 1), min(height, strip.stop // 2 + 1), height)
        h = up(F.leaky_relu(x.rows(seen), LEAKY_SLOPE))
        h = F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
        return h[:, :, strip.start - 2 * seen.start : strip.stop - 2 * seen.start, :width]

    return rows
