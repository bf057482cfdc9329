"""A sheet of pictures with labels, for eyes to judge what numbers cannot."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

CELL = 320
GAP = 8
HEADER = 40
CAPTION = 22
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (90, 90, 90)


class ContactSheet:
    """Rows of pictures under named columns, reduced to fit cells of `cell` pixels, never cropped."""

    def __init__(self, columns: Sequence[str], cell: int = CELL):
        self.columns = list(columns)
        self.cell = cell
        self.rows: list[list[tuple[Image.Image, str]]] = []

    def add_row(self, pictures: Sequence[Image.Image], captions: Sequence[str]) -> None:
        """One picture per column; a caption may be empty.

        Raises ValueError if there are not as many of either as there are columns.
        """
        if not len(pictures) == len(captions) == len(self.columns):
            raise ValueError(
                f"A row of {len(pictures)} pictures and {len(captions)} captions does not fit "
                f"{len(self.columns)} columns."
            )
        # Reduced at once: a sheet of full-size pictures would fill the memory.
        small = []
        for picture in pictures:
            thumbnail = picture.copy()
            thumbnail.thumbnail((self.cell, self.cell), Image.Resampling.LANCZOS)
            small.append(thumbnail)
        self.rows.append(list(zip(small, captions, strict=True)))

    def draw(self) -> Image.Image:
        """The whole sheet; as high as its rows need."""
        heights = [max(picture.height for picture, _ in row) + CAPTION + GAP for row in self.rows]
        width = GAP + len(self.columns) * (self.cell + GAP)
        sheet = Image.new("RGB", (width, HEADER + sum(heights) + GAP), WHITE)
        pen = ImageDraw.Draw(sheet)
        header, caption = ImageFont.load_default(22), ImageFont.load_default(14)
        for i, name in enumerate(self.columns):
            left = GAP + i * (self.cell + GAP)
            pen.text((left, 8), _shortened(name, header, self.cell), fill=BLACK, font=header)
        top = HEADER
        for row, height in zip(self.rows, heights, strict=True):
            for i, (picture, text) in enumerate(row):
                left = GAP + i * (self.cell + GAP)
                sheet.paste(picture, (left, top))
                under = (left, top + picture.height + 2)
                pen.text(under, _shortened(text, caption, self.cell), fill=GREY, font=caption)
            top += height
        return sheet


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """`text` with an ellipsis where it would run into the next cell."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
