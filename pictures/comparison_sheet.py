"""Sheets for eyes: numbered rows of pictures under named columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

MARGIN = 24
GAP = 16
NUMBER_WIDTH = 72
BACKGROUND, INK, RULE = (250, 250, 248), (20, 20, 20), (205, 205, 200)


class Column(NamedTuple):
    """Its title, and the side in pixels of the square that its pictures are fitted into."""

    title: str
    side: int


class ComparisonSheet:
    """Rows are reduced to the sheet's size as they come, so that full pictures are not kept."""

    def __init__(self, columns: Sequence[Column], title: str = "", note: str = ""):
        """`title` stands above the columns, `note` in smaller letters below it."""
        self.columns, self.title, self.note = list(columns), title, note
        self._rows: list[tuple[str, list[Image.Image]]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add_row(self, number: int, pictures: Sequence[Image.Image]) -> None:
        """One picture per column, enlarged or reduced to fit, never cropped."""
        cells = [fitted(p, column.side) for p, column in zip(pictures, self.columns, strict=True)]
        self._rows.append((str(number), cells))

    def draw(self) -> Image.Image:
        """The sheet, as high as its rows need."""
        title, note, header = (ImageFont.load_default(size) for size in (26, 18, 22))
        heights = [max(cell.height for cell in cells) for _, cells in self._rows]
        width = 2 * MARGIN + NUMBER_WIDTH + sum(c.side for c in self.columns) + GAP * (len(self.columns) - 1)
        top = MARGIN + (38 if self.title else 0) + (30 if self.note else 0)
        total = top + 36 + sum(heights) + 2 * GAP * len(heights) + MARGIN - GAP
        sheet = Image.new("RGB", (width, total), BACKGROUND)
        pen = ImageDraw.Draw(sheet)
        pen.text((MARGIN, MARGIN - 4), self.title, fill=INK, font=title)
        pen.text((MARGIN, top - 30), self.note, fill=INK, font=note)
        for column, left in zip(self.columns, self._lefts(), strict=True):
            pen.text((left, top), column.title, fill=INK, font=header)
        top += 36
        for (number, cells), height in zip(self._rows, heights, strict=True):
            self._draw_row(sheet, pen, number, cells, top, height)
            top += height + 2 * GAP
        return sheet

    def _lefts(self) -> list[int]:
        lefts = [MARGIN + NUMBER_WIDTH]
        for column in self.columns[:-1]:
            lefts.append(lefts[-1] + column.side + GAP)
        return lefts

    def _draw_row(
        self,
        sheet: Image.Image,
        pen: ImageDraw.ImageDraw,
        number: str,
        cells: list[Image.Image],
        top: int,
        height: int,
    ) -> None:
        pen.line((MARGIN, top - 6, sheet.width - MARGIN, top - 6), fill=RULE)
        pen.text((MARGIN, top), number, fill=INK, font=ImageFont.load_default(32))
        for cell, column, left in zip(cells, self.columns, self._lefts(), strict=True):
            sheet.paste(cell, (left + (column.side - cell.width) // 2, top + (height - cell.height) // 2))


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """`picture` in proportion, its longer side `side` pixels.

    >>> fitted(Image.new("RGB", (100, 50)), 300).size
    (300, 150)
    """
    scale = side / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
