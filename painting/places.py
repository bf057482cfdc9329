"""Places: cells of 4 x 4 pixels, each with what all layers of the loss network see there, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from ..models.perception.vgg import LossNetwork
from .tiles import GRID, Span, Tile, spans

# The side of a place in pixels.
PLACE = 4

# A value of relu4_1, enlarged to places, sees 38 pixels beyond its own eight.
_HALO = 40


def place_tiles(picture: Tensor, side: int, on_tile: Callable[[], None] | None = None) -> Iterator[Tile]:
    """The tiles of a picture [B,3,H,W], of about `side` pixels; `on_tile` is called before each."""
    height, width = picture.shape[-2:]
    for rows in spans(height, side, _HALO):
        for columns in spans(width, side, _HALO):
            if on_tile:
                on_tile()
            yield Tile(rows, columns)


def place_layers(network: LossNetwork, read: Tensor, tile: Tile) -> list[Tensor]:
    """All layers at the places that are counted in a tile, [B,C,h,w] each; read [B,3,h,w]: the tile's pixels,
    its border included."""
    inside = (..., _inside(tile.rows), _inside(tile.columns))
    return [values[inside] for values in on_places(network, read)]


def on_places(network: LossNetwork, picture: Tensor) -> Iterator[Tensor]:
    """All layers of a picture [B,3,H,W] at a quarter of its side, rounded up to cells of relu4_1.

    The last rows and columns of the picture are repeated to whole cells.
    """
    missing = [-length % GRID for length in picture.shape[-2:]]
    padded = F.pad(picture, (0, missing[1], 0, missing[0]), mode="replicate")
    for _, values in network.layers(padded):
        stride = padded.shape[-1] // values.shape[-1]
        if stride < PLACE:
            values = F.avg_pool2d(values, PLACE // stride)
        elif stride > PLACE:
            values = F.interpolate(values, scale_factor=stride / PLACE, mode="bilinear")
        yield values


def counted_places(tile: Tile) -> tuple[slice, slice]:
    """Where the counted places of a tile are in the whole picture; the last ones may be parts."""
    rows, columns = (slice(each.start // PLACE, -(-each.stop // PLACE)) for each in (tile.rows, tile.columns))
    return rows, columns


def place_count(picture: Tensor) -> tuple[int, int]:
    """How many places a picture [...,H,W] has down and across."""
    return -(-picture.shape[-2] // PLACE), -(-picture.shape[-1] // PLACE)


def place_means(maps: Tensor) -> Tensor:
    """[B,C,H,W] -> [B,C,h,w], the means of the places."""
    missing = [-length % PLACE for length in maps.shape[-2:]]
    return F.avg_pool2d(F.pad(maps, (0, missing[1], 0, missing[0]), mode="replicate"), PLACE)


def _inside(span: Span) -> slice:
    """Where the counted places of a span are in the tile's own."""
    return slice((span.start - span.first) // PLACE, -(-(span.stop - span.first) // PLACE))
