"""Sheets for eyes: rows of pictures under named columns, with numbers beside them or captions under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from ..base.counts import counted
from .lettering import fitted_name, fitted_text, font, latin

MARGIN = 24
GAP = 16
NUMBER_WIDTH = 72
HEADER_HEIGHT, CAPTION_HEIGHT = 36, 20
TITLE_SIZE, NOTE_SIZE, HEADER_SIZE, NUMBER_SIZE, CAPTION_SIZE = 26, 18, 22, 32, 14
BACKGROUND, INK, FAINT, RULE = (250, 250, 248), (20, 20, 20), (90, 90, 90), (205, 205, 200)


class Column(NamedTuple):
    """Its title, and the side in pixels of the square that its pictures are fitted into."""

    title: str
    side: int


class _SheetRow(NamedTuple):
    number: int | None
    cells: list[Image.Image]
    captions: list[str]


class ComparisonSheet:
    """A sheet in the making. Rows are reduced to its size as they come; full pictures are not kept."""

    def __init__(self, columns: Sequence[Column], title: str = "", note: str = ""):
        """`title` stands above the columns, `note` in smaller letters below it."""
        self.columns, self.title, self.note = list(columns), title, note
        self._rows: list[_SheetRow] = []

    def add_row(
        self, pictures: Sequence[Image.Image], number: int | None = None, captions: Sequence[str] = ()
    ) -> None:
        """One picture per column, enlarged or reduced to fit, never cropped; `number` stands beside them,
        `captions`, one per column or none at all, under them. A caption in a script that no font has is left
        out.

        Raises ValueError if there are not as many pictures as columns, or another number of captions.
        """
        if len(pictures) != len(self.columns) or (captions and len(captions) != len(self.columns)):
            row = counted(len(pictures), "picture")
            row += f" and {counted(len(captions), 'caption')}" if captions else ""
            raise ValueError(f"A row of {row} does not fit {counted(len(self.columns), 'column')}.")
        cells = [fitted(p, column.side) for p, column in zip(pictures, self.columns, strict=True)]
        self._rows.append(_SheetRow(number, cells, list(captions)))

    def draw(self) -> Image.Image:
        """The sheet, as high as its rows need."""
        lefts = self._lefts()
        width = lefts[-1] + self.columns[-1].side + MARGIN
        top = MARGIN + (38 if self.title else 0) + (30 if self.note else 0)
        heights = [_height(row) for row in self._rows]
        total = top + HEADER_HEIGHT + sum(heights) + 2 * GAP * len(heights) + MARGIN - GAP
        sheet = Image.new("RGB", (width, total), BACKGROUND)
        pen = ImageDraw.Draw(sheet)

        pen.text((MARGIN, MARGIN - 4), self.title, fill=INK, font=font(TITLE_SIZE))
        pen.text((MARGIN, top - 30), self.note, fill=INK, font=font(NOTE_SIZE))
        size = self._header_size()
        for column, left in zip(self.columns, lefts, strict=True):
            header = fitted_text(column.title, size, column.side)
            pen.text((left, top), header, fill=INK, font=font(size))

        top += HEADER_HEIGHT
        for row, height in zip(self._rows, heights, strict=True):
            self._draw_row(sheet, row, lefts, top)
            top += height + 2 * GAP
        return sheet

    def _header_size(self) -> int:
        """The largest letters in which all titles fit their columns, down to those of captions."""
        for size in range(HEADER_SIZE, CAPTION_SIZE, -1):
            if all(fitted_text(title, size, side) == latin(title) for title, side in self.columns):
                return size
        return CAPTION_SIZE

    def _lefts(self) -> list[int]:
        """Where the columns begin, right of the numbers if there are any."""
        numbered = any(row.number is not None for row in self._rows)
        lefts = [MARGIN + (NUMBER_WIDTH if numbered else 0)]
        for column in self.columns[:-1]:
            lefts.append(lefts[-1] + column.side + GAP)
        return lefts

    def _draw_row(self, sheet: Image.Image, row: _SheetRow, lefts: Sequence[int], top: int) -> None:
        pen = ImageDraw.Draw(sheet)
        pen.line((MARGIN, top - 6, sheet.width - MARGIN, top - 6), fill=RULE)
        if row.number is not None:
            pen.text((MARGIN, top), str(row.number), fill=INK, font=font(NUMBER_SIZE))
        height = max(cell.height for cell in row.cells)
        for cell, column, left in zip(row.cells, self.columns, lefts, strict=True):
            sheet.paste(cell, (left + (column.side - cell.width) // 2, top + (height - cell.height) // 2))
        for caption, column, left in zip(row.captions, self.columns, lefts, strict=False):
            text, face = fitted_name(caption, "", CAPTION_SIZE, column.side)
            pen.text((left, top + height + 2), text, fill=FAINT, font=face)


def _height(row: _SheetRow) -> int:
    return max(cell.height for cell in row.cells) + (CAPTION_HEIGHT if row.captions else 0)


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """`picture` in proportion, its longer side `side` pixels.

    >>> fitted(Image.new("RGB", (100, 50)), 300).size
    (300, 150)
    """
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    return picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
