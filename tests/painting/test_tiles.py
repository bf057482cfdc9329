"""Tiles: what they count and what they must see."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.perception.statistics import gram_and_mean
from brushwork.models.perception.vgg import STYLE_LAYERS
from brushwork.painting.tiles import (
    BYTES_PER_PIXEL,
    GRID,
    HALO,
    PIXELS,
    STRIDES,
    View,
    picture_sums,
    side_that_fits,
    spans,
    tile_side,
    tiles,
)


@pytest.mark.parametrize("length", [16, 64, 65, 71, 117, 203, 333, 1000])
@pytest.mark.parametrize("side", [64, 72, 128, 4096])
def test_every_value_of_every_layer_is_counted_once(length, side):
    found = spans(length, side)
    assert found[0].start == 0
    assert found[-1].stop == length
    for stride in STRIDES.values():
        counted = [i for each in found for i in range(length)[each.counted(stride)]]
        assert counted == list(range(length // stride))
        for each in found:
            inside, whole = each.inside(stride), each.counted(stride)
            assert inside.stop - inside.start == whole.stop - whole.start
            assert inside.stop <= (each.last - each.first) // stride, "the tile's own map has them all"


@pytest.mark.parametrize("length", [64, 203, 1000])
def test_tiles_lie_on_the_grid_and_see_their_border(length):
    for each in spans(length, 72):
        assert each.first % GRID == each.start % GRID == 0
        assert each.stop % GRID == 0 or each.stop == length
        assert each.first == max(0, each.start - HALO)
        assert each.last == min(length, each.stop + HALO)
        assert each.stop - each.start <= 72 + GRID


def test_the_border_is_the_receptive_field_of_relu4_1(exact_network, texture):
    """68 pixels: 8 of its own and 30 beyond on each side. One step of the grid less would not do."""
    picture = texture(1, 3, 144, 144).requires_grad_()
    exact_network(picture)["relu4_1"][0, :, 9, 9].sum().backward()
    rows = picture.grad[0].abs().sum((0, 2)).nonzero().flatten()
    own = 9 * GRID
    assert int(rows.min()) >= own - 30
    assert int(rows.max()) <= own + GRID - 1 + 30
    assert int(rows.min()) < own - (HALO - GRID)
    assert int(rows.max()) > own + GRID - 1 + (HALO - GRID)


@pytest.mark.parametrize(("height", "width"), [(77, 139), (64, 72), (16, 149)])
def test_sums_of_tiles_are_the_means_of_the_picture(exact_slim_network, texture, height, width):
    picture = texture(2, 3, height, width)
    with torch.no_grad():
        found = picture_sums(exact_slim_network, picture, View((height, width)), 64)
        features = exact_slim_network(picture) | {PIXELS: picture}
    for layer in (PIXELS, *STYLE_LAYERS):
        gram, mean = gram_and_mean(features[layer])
        assert torch.allclose(found[f"{layer}.gram"][:, 0], gram, rtol=1e-10)
        assert torch.allclose(found[f"{layer}.mean"][:, 0], mean, rtol=1e-10)


def test_the_side_follows_the_memory_and_the_batch():
    assert tile_side(4 * 2**30, 1, torch.float32) > tile_side(2**30, 1, torch.float32)
    assert tile_side(2**30, 4, torch.float32) < tile_side(2**30, 1, torch.float32)
    assert tile_side(2**30, 1, torch.bfloat16) > tile_side(2**30, 1, torch.float32)
    assert tile_side(0, 1, torch.float32) == 64, "never less than a tile that is mostly border"
    assert len(tiles((4096, 4096), tile_side(2**30, 1, torch.float32))) > 16


def test_a_small_picture_is_one_tile_and_a_large_one_leaves_memory_to_others():
    cpu = torch.device("cpu")
    assert side_that_fits((192, 256), 1, cpu, torch.float32) == 256
    sides = [side_that_fits((8192, 8192), pictures, cpu, torch.float32) for pictures in (1, 4)]
    assert 64 <= sides[1] < sides[0] < 8192
    for side, pictures in zip(sides, (1, 4), strict=True):
        assert (side + 2 * HALO) ** 2 * pictures * BYTES_PER_PIXEL[torch.float32] <= 2**30
