"""The pictures of the help pages: one for each node, made by the node, small enough to ship."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.nodes import NODES
from scripts.help_grid import GAP, MOST_BYTES, WIDTH, grid, narrowed, small_jpeg
from scripts.help_pictures import PICTURES, encode_content, load_style, mix_styles


def plain(color):
    return Image.new("RGB", (64, 48), color)


def test_every_node_has_a_picture():
    assert list(PICTURES) == list(NODES)


def test_rows_fill_the_width_in_their_own_shape():
    sheet = grid([[(plain("red"), ""), (plain("blue"), "")], [(plain("green"), "")]], aspect=2)
    half, whole = (WIDTH - GAP) // 2, WIDTH
    assert sheet.size == (WIDTH, half // 2 + GAP + whole // 2)
    assert sheet.getpixel((0, 0)) == (255, 0, 0)
    assert sheet.getpixel((half + 1, 0)) == (255, 255, 255)
    assert sheet.getpixel((WIDTH - 1, 0)) == (0, 0, 255)
    assert sheet.getpixel((WIDTH - 1, sheet.height - 1)) == (0, 128, 0)


def test_a_label_stands_in_the_lower_left_corner():
    with_label, without = (np.asarray(grid([[(plain("red"), text)]])) for text in ("0.5", ""))
    rows, columns = np.nonzero((with_label != without).any(-1))
    assert rows.min() > with_label.shape[0] - 40
    assert columns.max() < 80


def test_a_picture_is_saved_within_the_limit():
    noise = np.random.default_rng(0).integers(0, 256, (300, WIDTH, 3), dtype=np.uint8)
    blurred = Image.fromarray(noise).resize((WIDTH // 3, 100)).resize((WIDTH, 300))
    data = small_jpeg(blurred)
    assert len(data) <= MOST_BYTES
    assert Image.open(io.BytesIO(data)).size == blurred.size
    with pytest.raises(ValueError, match="does not fit into 60000 bytes"):
        small_jpeg(Image.fromarray(np.tile(noise, (4, 1, 1))))


def test_sheets_are_narrowed_in_proportion():
    assert narrowed(Image.new("RGB", (1400, 600))).size == (WIDTH, 300)


@pytest.mark.parametrize(("make", "rows"), [(load_style, 1), (encode_content, 1), (mix_styles, 2)])
def test_the_nodes_make_the_pictures(make, rows):
    with torch.inference_mode():
        picture = make()
    assert picture.width == WIDTH
    assert picture.height > 100 * rows
    assert np.asarray(picture).std() > 20
