"""Sheets of pictures: what lies where."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from brushwork.pictures.comparison_sheet import (
    BACKGROUND,
    CAPTION_HEIGHT,
    GAP,
    HEADER_HEIGHT,
    MARGIN,
    NUMBER_WIDTH,
    Column,
    ComparisonSheet,
)

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
SIDE = 320
TOP = MARGIN + HEADER_HEIGHT


def plain(width, height, color):
    return Image.new("RGB", (width, height), color)


def test_rows_are_numbered_and_pictures_fitted_not_cropped():
    sheet = ComparisonSheet([Column("one", 60), Column("two", 100)], "title", "note")
    sheet.add_row([plain(30, 60, RED), plain(400, 200, BLUE)], 1)
    drawn = np.asarray(sheet.draw()).astype(int)
    assert drawn.shape[1] == 2 * MARGIN + NUMBER_WIDTH + 60 + GAP + 100
    assert (np.abs(drawn - RED).max(2) < 3).sum() == 30 * 60
    assert (np.abs(drawn - BLUE).max(2) < 3).sum() == 100 * 50
    assert drawn[:, MARGIN : MARGIN + NUMBER_WIDTH].max(2).min() < 60


def test_titles_get_smaller_until_they_fit_narrow_columns():
    """In 22 points "painting" is wider than 64 pixels."""
    sheets = [ComparisonSheet([Column("painting", side), Column("photo", side)]) for side in (320, 64)]
    heights = []
    for sheet in sheets:
        sheet.add_row([plain(64, 64, RED)] * 2)
        header = np.asarray(sheet.draw())[MARGIN - 4 : TOP - 8, :, 0] < 128
        heights.append(header.any(axis=1).sum())
        letters = header[:, MARGIN : MARGIN + sheet.columns[0].side].any(axis=0)
        # Nothing is left out: "painting" has seven gaps between its letters, "pai…g" has six.
        assert np.diff(letters.astype(int)).clip(0).sum() >= 8
    assert heights[1] < heights[0]


def test_pictures_lie_under_their_columns_in_their_proportions():
    sheet = ComparisonSheet([Column("photo", SIDE), Column("painting", SIDE)])
    sheet.add_row([plain(640, 320, RED), plain(100, 400, GREEN)], captions=["a", "b"])
    sheet.add_row([plain(50, 50, BLUE), plain(50, 50, BLUE)])
    drawn = sheet.draw()
    left, right = MARGIN, MARGIN + SIDE + GAP
    # 640x320 becomes 320x160, 100x400 becomes 80x320; both in the middle of their squares.
    for x in (left, left + SIDE - 1):
        assert drawn.getpixel((x, TOP + SIDE // 2 - 80)) == RED
        assert drawn.getpixel((x, TOP + SIDE // 2 + 79)) == RED
        assert drawn.getpixel((x, TOP + SIDE - 1)) not in (RED, GREEN)
    for x in (right + SIDE // 2 - 40, right + SIDE // 2 + 39):
        assert drawn.getpixel((x, TOP)) == drawn.getpixel((x, TOP + SIDE - 1)) == GREEN
    assert drawn.getpixel((right + SIDE // 2 + 41, TOP + 5)) == BACKGROUND
    second = TOP + SIDE + CAPTION_HEIGHT + 2 * GAP
    assert drawn.getpixel((left, second)) == drawn.getpixel((right + SIDE - 1, second + SIDE - 1)) == BLUE
    assert drawn.size == (2 * MARGIN + 2 * SIDE + GAP, second + SIDE + GAP + MARGIN)


def test_columns_and_pictures_are_named():
    sheet = ComparisonSheet([Column("photo", SIDE)])
    sheet.add_row([plain(50, 50, RED)], captions=["a very long name " * 10])
    drawn = sheet.draw()
    header = drawn.crop((MARGIN, MARGIN, MARGIN + SIDE, TOP - 6))
    caption = drawn.crop((MARGIN, TOP + SIDE, MARGIN + SIDE, TOP + SIDE + CAPTION_HEIGHT))
    assert min(header.convert("L").getextrema()) < 60
    assert min(caption.convert("L").getextrema()) < 160
    # The long name stops before the cell ends.
    margin = drawn.crop((MARGIN + SIDE + 1, TOP, drawn.width, drawn.height))
    assert margin.getcolors() == [(margin.width * margin.height, BACKGROUND)]


@pytest.mark.parametrize(
    ("captions", "row"), [([""], "1 picture and 1 caption"), ([], "1 picture")], ids=["captions", "none"]
)
def test_refuses_a_row_of_another_length(captions, row):
    sheet = ComparisonSheet([Column("photo", SIDE), Column("painting", SIDE)])
    with pytest.raises(ValueError, match=f"A row of {row} does not fit 2 columns"):
        sheet.add_row([plain(5, 5, RED)], captions=captions)
    with pytest.raises(ValueError, match="A row of 2 pictures and 1 caption does not fit 2 columns"):
        sheet.add_row([plain(5, 5, RED)] * 2, captions=[""])
