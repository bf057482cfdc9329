"""The gradient of feature statistics with respect to a picture of any size, tile by tile and exact.

A loss on Gram matrices, means and deviations depends on the picture only through sums over its pixels. So the
chain rule splits in two. First pass: the sums of all tiles, without a graph. Then the loss and its
gradient with respect to the sums, which are small. Second pass: the network sees each tile again, and the
given gradient goes back through it. One tile is in memory; the result is the gradient of the whole picture,
to rounding. The content loss fits in: |n(f) - t|^2, n the instance normalisation, is a function of the means
of f, f^2 and f t.

A value of relu4_1 depends on 68 x 68 pixels: 8 x 8 of its own and 30 on each side. So a tile is read with a
border of `HALO` pixels, and every value is counted in one tile only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.memory import free_memory
from ..models.normalization import wide
from ..models.perception.statistics import gram_and_mean
from ..models.perception.vgg import CONTENT_LAYER, STYLE_LAYERS, LossNetwork

# The side of relu4_1's cells. Tiles are cut on this grid of the three poolings.
GRID = 8

# The 30 pixels that relu4_1 sees beyond its cell, on the grid.
HALO = 32

# Memory for one pixel of one picture, measured: forward and backward pass of the loss network.
BYTES_PER_PIXEL = {torch.float32: 2400, torch.bfloat16: 1400, torch.float64: 4800}

# Tiles may take this share of the free memory; the rest is for the picture, its optimiser and other programs.
_TILE_SHARE = 0.5

# A CPU's memory belongs to all programs. A step takes two passes of the loss network in one piece, and three
# with borders in tiles. One piece is worth some memory; larger tiles are not.
_CPU_BYTES = 2 * 2**30
_CPU_TILE_BYTES = 2**30

# The picture's half and quarter are in memory too.
_SIZES = 21 / 16

# Smaller tiles would be mostly border.
SMALLEST_TILE = 64

# Strides of the style layers, and the pixels themselves as a layer of three channels.
PIXELS = "pixels"
STRIDES = {PIXELS: 1, "relu1_1": 1, "relu2_1": 2, "relu3_1": 4, "relu4_1": 8}

# Means over a picture, by name: "relu1_1.gram" [B,K,64,64], "relu1_1.mean" [B,K,64], …, "relu4_1.cross"
# [B,512]. Those of the K regions add up to the mean of the whole picture.
Sums = dict[str, Tensor]


@dataclass(frozen=True)
class Span:
    """Pixels along one axis: `start` to `stop` are counted, `first` to `last` are read."""

    start: int
    stop: int
    first: int
    last: int

    @property
    def read(self) -> slice:
        return slice(self.first, self.last)

    def counted(self, stride: int) -> slice:
        """Where the counted values of a layer are in the whole picture's map."""
        return slice(self.start // stride, self.stop // stride)

    def inside(self, stride: int) -> slice:
        """Where the counted values of a layer are in the tile's own map."""
        return slice((self.start - self.first) // stride, (self.stop - self.first) // stride)


@dataclass(frozen=True)
class Tile:
    rows: Span
    columns: Span

    def cut(self, picture: Tensor) -> Tensor:
        """A view of the pixels [...,h,w] of a picture that are read."""
        return picture[..., self.rows.read, self.columns.read]


def spans(length: int, side: int, halo: int = HALO) -> list[Span]:
    """`length` pixels in equal parts of about `side`, cut on the grid, each read with a border of `halo`.

    >>> [(each.start, each.stop, each.first, each.last) for each in spans(203, 104)]
    [(0, 104, 0, 136), (104, 203, 72, 203)]
    """
    parts = max(1, math.ceil(length / side))
    cuts = sorted({min(length, round(i * length / parts / GRID) * GRID) for i in range(parts)} | {length})
    return [
        Span(start, stop, max(0, start - halo), min(length, stop + halo))
        for start, stop in zip(cuts[:-1], cuts[1:], strict=True)
    ]


def tiles(size: tuple[int, int], side: int) -> list[Tile]:
    """The tiles of a picture of `size` (height, width), each about `side` pixels high and wide."""
    return [Tile(rows, columns) for rows in spans(size[0], side) for columns in spans(size[1], side)]


def tile_side(bytes_free: float, pictures: int, dtype: torch.dtype) -> int:
    """The side of the tiles of a batch of `pictures` that fit into `bytes_free`, borders included.

    >>> tile_side(2400 * 564**2, 1, torch.float32)
    496
    """
    whole = math.isqrt(max(0, int(bytes_free / pictures / BYTES_PER_PIXEL[dtype])))
    return max(SMALLEST_TILE, (whole - 2 * HALO) // GRID * GRID)


def side_that_fits(size: tuple[int, int], pictures: int, device: torch.device, dtype: torch.dtype) -> int:
    """The side of the tiles of a batch of `pictures` of `size` (height, width) that fit into the free memory
    of `device`; the pictures' longer side if they fit in one piece.
    """
    free = free_memory(device) * _TILE_SHARE / _SIZES
    whole, tiled = (
        (min(free, _CPU_BYTES), min(free, _CPU_TILE_BYTES)) if device.type == "cpu" else (free, free)
    )
    if size[0] * size[1] * pictures * BYTES_PER_PIXEL[dtype] > whole:
        return tile_side(tiled, pictures, dtype)
    return max(size)


@dataclass(frozen=True, eq=False)
class View:
    """One size at which a picture is looked at, and what its features are compared or weighted with.

    size: height and width. shares: by layer of `STRIDES` how much each of K regions rules in every cell,
    [B,K,h,w] with sums 1, or None where there is one region. content: the photo's normalised relu4_1
    [B,512,H/8,W/8], or None where content is not compared.
    """

    size: tuple[int, int]
    shares: dict[str, Tensor] | None = None
    content: Tensor | None = None

    def sums(self, network: LossNetwork, read: Tensor, tile: Tile) -> Sums:
        """The part of `tile` in the means over the picture; `read` [B,3,h,w] are the pixels it reads."""
        features = network(read) | {PIXELS: wide(read)}
        found: Sums = {}
        for layer in (PIXELS, *STYLE_LAYERS):
            stride = STRIDES[layer]
            inside = tile.rows.inside(stride), tile.columns.inside(stride)
            counted = tile.rows.counted(stride), tile.columns.counted(stride)
            total = (self.size[0] // stride) * (self.size[1] // stride)
            values = features[layer][..., inside[0], inside[1]]
            share = values.shape[-2] * values.shape[-1] / total
            if not share:
                continue
            gram, mean = self._products(layer, values, counted)
            found[f"{layer}.gram"], found[f"{layer}.mean"] = gram * share, mean * share
            if layer == CONTENT_LAYER and self.content is not None:
                target = self.content[..., counted[0], counted[1]]
                found[f"{layer}.cross"] = wide((values * target).sum((2, 3))) / total
        return found

    def _products(self, layer: str, values: Tensor, counted: tuple[slice, slice]) -> tuple[Tensor, Tensor]:
        """Means of f f^T [B,K,C,C] and of f [B,K,C] over the values of a tile, weighted with the shares."""
        if self.shares is None:
            gram, mean = gram_and_mean(values)
            return gram[:, None], mean[:, None]
        shares = self.shares[layer][..., counted[0], counted[1]].to(values.dtype)
        grams = [gram_and_mean(values * share.sqrt())[0] for share in shares[:, :, None].unbind(1)]
        means = torch.stack(
            [wide((values * share).mean((2, 3))) for share in shares[:, :, None].unbind(1)], 1
        )
        return torch.stack(grams, 1), means


def picture_sums(
    network: LossNetwork, picture: Tensor, view: View, side: int, on_tile: Callable[[], None] | None = None
) -> Sums:
    """All sums of a picture [B,3,H,W], in tiles of `side`; with a graph if gradients are on."""
    total: Sums = {}
    for tile in tiles(view.size, side):
        if on_tile:
            on_tile()
        read = tile.cut(picture)
        for name, value in view.sums(network, read, tile).items():
            total[name] = total[name] + value if name in total else value
    return total


def loss_and_gradients(
    network: LossNetwork,
    pictures: Sequence[Tensor],
    views: Sequence[View],
    loss_of: Callable[[list[Sums]], Tensor],
    side: int,
    on_tile: Callable[[], None] | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """The loss, a scalar, and its gradient with respect to each of `pictures` [B,3,H,W].

    `loss_of` gets the sums of all `views`. The network sees a picture of one tile once and keeps its graph
    for the way back; it sees one of several tiles twice. `on_tile` is called before each tile, and an error
    from it ends the work.
    """
    leaves: list[Tensor] = []
    kept: list[Sums] = []
    found: list[Sums] = []
    for picture, view in zip(pictures, views, strict=True):
        single = len(tiles(view.size, side)) == 1
        leaf = picture.detach().requires_grad_(single)
        with torch.set_grad_enabled(single):
            sums = picture_sums(network, leaf, view, side, on_tile)
        leaves.append(leaf)
        kept.append(sums if single else {})
        found.append({name: value.detach().requires_grad_() for name, value in sums.items()})
    loss = loss_of(found)
    torch.autograd.backward(loss)
    given = [{name: value.grad for name, value in sums.items() if value.grad is not None} for sums in found]
    # Pictures that kept their graph go first: then there is room for the tiles of the others.
    for sums, gradients in zip(kept, given, strict=True):
        if sums:
            torch.autograd.backward([sums[name] for name in gradients], list(gradients.values()))
            sums.clear()
    for leaf, view, gradients in zip(leaves, views, given, strict=True):
        if leaf.grad is None:
            leaf.grad = torch.zeros_like(leaf)
            _tiled_backward(network, leaf, view, side, gradients, leaf.grad, on_tile)
    return loss.detach(), [leaf.grad for leaf in leaves if leaf.grad is not None]


def _tiled_backward(
    network: LossNetwork,
    picture: Tensor,
    view: View,
    side: int,
    given: Sums,
    gradient: Tensor,
    on_tile: Callable[[], None] | None,
) -> None:
    """Add to `gradient` the gradient of every pixel, from the gradient `given` with respect to the sums."""
    for tile in tiles(view.size, side):
        if on_tile:
            on_tile()
        read = tile.cut(picture).detach().requires_grad_()
        with torch.enable_grad():
            sums = view.sums(network, read, tile)
            names = [name for name in sums if name in given]
            torch.autograd.backward([sums[name] for name in names], [given[name] for name in names])
        if read.grad is not None:  # as type checkers cannot know
            gradient[..., tile.rows.read, tile.columns.read] += read.grad
