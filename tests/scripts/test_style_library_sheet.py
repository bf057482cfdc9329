"""The sheet of the style library: what lies where, and that the one in docs/ is of the library that ships."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.models.style_file import read_style
from scripts import style_sheet
from scripts.style_sheet import (
    CAPTION,
    COLUMNS,
    GAP,
    HEIGHT,
    LARGEST_FILE,
    LIBRARY,
    draw_library,
    encode_jpeg,
)

STYLES = [read_style(path) for path in sorted(LIBRARY.glob("*.safetensors"))[: COLUMNS + 1]]


@pytest.fixture(scope="module")
def sheet(gan):
    with torch.inference_mode():
        return draw_library(gan, STYLES)


def cell(sheet, i):
    """Its pictures and its caption, as arrays."""
    width = (sheet.width - GAP) // COLUMNS
    left, top = GAP + i % COLUMNS * width, GAP + i // COLUMNS * (HEIGHT + CAPTION)
    pixels = np.asarray(sheet).astype(float)[:, left : left + width - GAP]
    return pixels[top : top + HEIGHT], pixels[top + HEIGHT : top + HEIGHT + CAPTION]


def test_every_style_has_a_cell_with_two_pictures_and_a_caption(sheet):
    assert sheet.height == GAP + 2 * (HEIGHT + CAPTION)
    cells = [cell(sheet, i) for i in range(len(STYLES))]
    for pictures, caption in cells:
        assert (pictures[:, : HEIGHT * 4 // 3].std(), pictures[:, -HEIGHT * 3 // 4 :].std()) > (10, 10)
        assert caption.min() < 60
        assert caption[:, -2:].min() == 255
    shown = [pictures for pictures, _ in cells]
    assert min(np.abs(shown[0] - other).mean() for other in shown[1:]) > 10
    empty = cell(sheet, len(STYLES))
    assert empty[0].min() == empty[1].min() == 255


def test_a_file_of_at_most_500_kb(sheet):
    noise = Image.effect_noise((1240, 2240), 80).convert("RGB")
    assert len(encode_jpeg(noise)) > LARGEST_FILE  # nothing helps there, and it ends
    data = encode_jpeg(sheet)
    assert len(data) <= LARGEST_FILE
    with Image.open(io.BytesIO(data)) as file:
        assert np.abs(np.asarray(file).astype(float) - np.asarray(sheet)).mean() < 4


def test_the_sheet_in_docs_has_a_cell_for_every_style():
    rows = -(-len(list(LIBRARY.glob("*.safetensors"))) // COLUMNS)
    path = style_sheet.ROOT / "docs" / "styles.jpg"
    assert path.stat().st_size <= LARGEST_FILE
    with Image.open(path) as file:
        assert file.height == GAP + rows * (HEIGHT + CAPTION)
