"""One picture of any size, from rows to painted rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...base.settings import check_number
from ..codes import lerp
from ..grid import PixelRows
from ..noise import PlacedNoise
from ..region_statistics import RegionStatistics
from ..regions import StyleRegion, VisibleStyles, copy_size, statistics_of_regions, visible_styles
from ..style_gan import StyleGAN
from .content import LargeContent, encode_large_content
from .generate import LargePainting
from .maps import MapStore
from .style import encode_large_style, reduced

# Pictures of up to so many pixels are painted in one piece.
_FEW_PIXELS = 64

PaintedRows = Iterator[tuple[int, Tensor]]
"""From top to bottom: the first row of a strip, and its pixels [1,3,rows,W] in 0..1."""


@dataclass(frozen=True)
class LargePicture:
    """A picture of `size` (H, W) whose rows `pixels` gives, and the `store` for its feature maps."""

    pixels: PixelRows
    size: tuple[int, int]
    store: MapStore

    def paint(
        self,
        gan: StyleGAN,
        code: Tensor,
        strength: float = 1.0,
        seed: int = 0,
        regions: Sequence[StyleRegion] = (),
        content: LargeContent | None = None,
    ) -> PaintedRows:
        """What `StyleGAN.generate` paints with `code` [1,L,D], to rounding, a strip at a time.

        A `content` that was encoded before stays; otherwise the picture is encoded, and painting uses the
        content up. The masks of `regions` may be on the CPU.

        Raises ValueError for a strength outside 0..1 and for a seed that is no seed.
        """
        check_number("strength", strength, 0, 1)
        noise = PlacedNoise((seed,))
        return self._painted(gan, code, strength, noise, seed, regions, content)

    @torch.inference_mode()
    def _painted(
        self,
        gan: StyleGAN,
        code: Tensor,
        strength: float,
        noise: PlacedNoise,
        seed: int,
        regions: Sequence[StyleRegion],
        content: LargeContent | None,
    ) -> PaintedRows:
        height, width = self.size
        whole_code, whole_regions = code, regions
        # Strength 0 is the photo, and below 1 the code moves towards the photo's own.
        if strength == 0:
            rows = max(1, self.store.strip_bytes // (12 * width))
            for start in range(0, height, rows):
                yield start, self.pixels(start, min(height, start + rows)).clamp(0, 1)
            return
        if strength < 1:
            own = encode_large_style(gan, self.pixels, self.size)
            code = lerp(own, code, strength)
            regions = [region.weakened(own, strength) for region in regions]
        # So few pixels that all channels are nearly constant: normalisation enlarges rounding errors, and
        # those of strips are others.
        if content is None and height * width <= _FEW_PIXELS:
            photo = self.pixels(0, height).to(self.store.device)
            yield 0, gan.generate(gan.encode_content(photo), whole_code, strength, seed, whole_regions)
            return
        # Encode the picture, and give each style its share of the cells.
        encoded = content or encode_large_content(gan.content_encoder, self.pixels, self.size, self.store)
        cells = {name: each.size[1:] for name, each in encoded.maps.items()}
        found = visible_styles(code, regions, self.size, encoded.corner, cells)
        styles = found._replace(
            shares={name: each.to(self.store.device) for name, each in found.shares.items()}
        )
        statistics = self._statistics(gan, styles, regions, noise) if styles.shares else None
        keep_content = content is not None
        painting = LargePainting(
            gan.generator, encoded, styles.codes, noise, self.store, styles.shares, statistics, keep_content
        )
        # Paint from top to bottom.
        for start, painted in painting.rows():
            painted = painted.clamp(0, 1)
            if strength < 1:
                photo = self.pixels(start, start + painted.shape[2]).to(painted.device)
                painted = lerp(photo, painted, strength)
            yield start, painted

    def _statistics(
        self, gan: StyleGAN, styles: VisibleStyles, regions: Sequence[StyleRegion], noise: PlacedNoise
    ) -> RegionStatistics:
        small, device = copy_size(self.size), self.store.device
        if small == self.size:
            copy = self.pixels(0, self.size[0]).to(device)
        else:
            copy = reduced(self.pixels, self.size, small, device)
        return statistics_of_regions(gan.content_encoder, gan.generator, copy, styles, regions, noise)
