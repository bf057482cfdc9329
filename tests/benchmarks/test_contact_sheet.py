"""The contact sheet: what lies where."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.contact_sheet import CELL, GAP, HEADER, ContactSheet

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_pictures_lie_under_their_columns_in_their_proportions():
    sheet = ContactSheet(["photo", "painting"])
    sheet.add_row([Image.new("RGB", (640, 320), RED), Image.new("RGB", (100, 400), GREEN)], ["a", "b"])
    sheet.add_row([Image.new("RGB", (50, 50), BLUE), Image.new("RGB", (50, 50), BLUE)], ["", ""])
    drawn = sheet.draw()
    left, right = GAP, GAP + CELL + GAP
    # 640x320 becomes 320x160, 100x400 becomes 80x320.
    assert drawn.getpixel((left + CELL - 1, HEADER + CELL // 2 - 1)) == RED
    assert drawn.getpixel((left + 5, HEADER + CELL - 1)) not in (RED, GREEN)
    assert drawn.getpixel((right + CELL // 4 - 1, HEADER + CELL - 1)) == GREEN
    assert drawn.getpixel((right + CELL // 4 + 1, HEADER + 5)) == (255, 255, 255)
    assert BLUE in {drawn.getpixel((left + 20, y)) for y in range(HEADER + CELL, drawn.height)}
    assert drawn.width == GAP + 2 * (CELL + GAP)


def test_columns_and_pictures_are_named():
    sheet = ContactSheet(["photo"])
    sheet.add_row([Image.new("RGB", (50, 50), RED)], ["a very long name " * 10])
    drawn = sheet.draw()
    header = drawn.crop((GAP, 0, GAP + CELL, HEADER))
    caption = drawn.crop((GAP, HEADER + 51, GAP + CELL, drawn.height))
    assert min(header.convert("L").getextrema()) < 60
    assert min(caption.convert("L").getextrema()) < 160
    # The long name stops before the cell ends.
    margin = drawn.crop((GAP + CELL + 1, HEADER, drawn.width, drawn.height))
    assert margin.convert("L").getextrema() == (255, 255)


def test_refuses_a_row_of_another_length():
    with pytest.raises(ValueError, match="1 pictures and 1 captions does not fit 2 columns"):
        ContactSheet(["photo", "painting"]).add_row([Image.new("RGB", (5, 5))], [""])
