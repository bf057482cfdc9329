"""Pictures side by side in cells, with short labels in their corners, for the help pages."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

from brushwork.pictures.lettering import font
from brushwork.pictures.tensors import as_picture

WIDTH = 700
GAP = 4
MOST_BYTES = 60_000
Cell = tuple[Image.Image, str]
"""A picture, and the label in its corner: a number or an option, nothing that needs translation."""


def grid(rows: Sequence[Sequence[Cell]], aspect: float = 4 / 3) -> Image.Image:
    """Rows of cells, `WIDTH` pixels wide; each row fills the width with cells of `aspect`, width to height.

    Pictures are cut to the cells' shape from their middle.
    """
    drawn = [_row(cells, aspect) for cells in rows]
    height = sum(row.height for row in drawn) + GAP * (len(drawn) - 1)
    sheet = Image.new("RGB", (WIDTH, height), "white")
    top = 0
    for row in drawn:
        sheet.paste(row, (0, top))
        top += row.height + GAP
    return sheet


def narrowed(picture: Image.Image) -> Image.Image:
    """The whole of `picture`, `WIDTH` pixels wide."""
    size = (WIDTH, round(picture.height * WIDTH / picture.width))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def picture_of(image: Tensor) -> Image.Image:
    """The first of IMAGE [B,H,W,3] in 0..1."""
    return pictures_of(image)[0]


def pictures_of(image: Tensor) -> list[Image.Image]:
    """All of IMAGE [B,H,W,3] in 0..1."""
    return [as_picture(picture) for picture in image.permute(0, 3, 1, 2)]


def small_jpeg(picture: Image.Image) -> bytes:
    """`picture` as the best JPEG of at most `MOST_BYTES`. Raises ValueError if there is none worth seeing."""
    for quality in range(88, 40, -4):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= MOST_BYTES:
            return buffer.getvalue()
    raise ValueError(f"A picture of {picture.width} x {picture.height} does not fit into {MOST_BYTES} bytes.")


def _row(cells: Sequence[Cell], aspect: float) -> Image.Image:
    edges = [round(i * (WIDTH + GAP) / len(cells)) for i in range(len(cells) + 1)]
    height = round((edges[1] - GAP) / aspect)
    row = Image.new("RGB", (WIDTH, height), "white")
    for (picture, label), left, end in zip(cells, edges[:-1], edges[1:], strict=True):
        cell = ImageOps.fit(picture.convert("RGB"), (end - left - GAP, height), Image.Resampling.LANCZOS)
        _write(cell, label)
        row.paste(cell, (left, 0))
    return row


def _write(cell: Image.Image, label: str) -> None:
    if not label:
        return
    # Large letters: the help panel is seldom wider than half of `WIDTH`.
    letters = font(24)
    pen = ImageDraw.Draw(cell)
    width = round(letters.getlength(label))
    top = cell.height - 31
    pen.rectangle((0, top, width + 11, cell.height), fill="black")
    pen.text((6, top + 1), label, fill="white", font=letters)
