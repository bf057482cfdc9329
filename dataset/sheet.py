"""A contact sheet of a surveyed folder: pictures with warnings first, then a sample of the rest."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from ..pictures.lettering import fitted_name, font, latin
from .picture_facts import THUMBNAIL
from .report import DatasetReport
from .unreadable import UnreadableFile

MOST = 120
"""Pictures on a sheet at most."""

# A fifth of these is for pictures without a flag: a sheet should also show the style.
_MOST_FLAGGED = MOST * 4 // 5
_FRAME, _GAP, _MARGIN = 5, 16, 24
_CELL = THUMBNAIL + 2 * _FRAME
_NAME, _LINE, _CHIP = 18, 17, 18
_CAPTION = _NAME + _LINE + _CHIP + 8
_FEWEST_COLUMNS, _MOST_COLUMNS = 5, 12
_PAPER, _INK, _GRAY, _PALE = "#f3f2ee", "#1b1b1b", "#5c5c5c", "#c9c7c0"
_CHIPS = {
    "unreadable": ("#8f0015", "unreadable", "cannot be read"),
    "leak": ("#c8102e", "leak", "copies in train and in val or test"),
    "duplicate": ("#b45309", "double", "copies or near-copies, by number"),
    "blank": ("#7c4a00", "blank", "nearly one colour"),
    "tiny": ("#7b2cbf", "tiny", "shorter side under {min_side} px"),
    "animated": ("#00697a", "frames", "the first frame is used"),
    "transparent": ("#4d6b0f", "alpha", "transparent, laid over white"),
    "monochrome": ("#596570", "mono", "near-monochrome"),
    "val": ("#1d4ed8", "val", "for validation"),
    "test": ("#0b7a5c", "test", "for the final test"),
}


@dataclass(frozen=True)
class _Cell:
    """One picture of the sheet; a file that cannot be read has a reason and no thumbnail."""

    name: str
    number: str
    """It stands for a name that cannot be drawn."""
    detail: str
    chips: tuple[tuple[str, str], ...]
    """Kind, for the colour, and text."""
    thumbnail: Image.Image | None
    reason: str = ""

    @property
    def height(self) -> int:
        """The height of the thumbnail with its frame."""
        return (120 if self.thumbnail is None else self.thumbnail.height) + 2 * _FRAME


def dataset_sheet(report: DatasetReport) -> Image.Image:
    """At most `MOST` thumbnails, RGB.

    First come files that cannot be read, then pictures with a flag, copies side by side, then some of the
    others, evenly picked in the order of their names.
    """
    order = _by_urgency(report)
    flagged = [*(_unreadable_cell(file) for file in report.unreadable), *(_cell(report, i) for i in order)]
    rest = [i for i in range(len(report.pictures)) if i not in set(order)]
    shown = flagged[: MOST - min(len(rest), MOST - _MOST_FLAGGED)]
    room = min(len(rest), MOST - len(shown))
    picked = [_cell(report, rest[i * len(rest) // room]) for i in range(room)]
    sections = [
        (_heading("To look at", len(shown), len(flagged)), shown),
        (_heading("The others" if shown else "Pictures", len(picked), len(rest)), picked),
    ]
    return _draw(report, [(title, cells) for title, cells in sections if cells])


def _by_urgency(report: DatasetReport) -> list[int]:
    """The pictures with a flag, most serious first, copies together; monochrome alone does not count."""
    kinds = [kind for kind in _CHIPS if kind != "monochrome"]

    def key(index: int) -> tuple[int, int, int]:
        worst = min(kinds.index(flag) for flag in report.flags[index] if flag in kinds)
        return worst, report.group_of[index], index

    return sorted((i for i, flags in enumerate(report.flags) if set(flags) & set(kinds)), key=key)


def _heading(title: str, shown: int, all_: int) -> str:
    return f"{title}: {shown}" + (f" of {all_}, {all_ - shown} more not shown" if shown < all_ else "")


def _cell(report: DatasetReport, index: int) -> _Cell:
    facts, split = report.pictures[index], report.split_of[index]
    chips = []
    for flag in report.flags[index]:
        text = _CHIPS[flag][1]
        if flag in ("leak", "duplicate"):
            text += f" {_group_number(report, index)}"
        elif flag == "animated":
            text += f" {facts.frames}"
        chips.append((flag, text))
    if split in _CHIPS:
        chips.append((split, split))
    with Image.open(io.BytesIO(facts.thumbnail)) as thumbnail:
        small = thumbnail.convert("RGB")
    number = f"#{index + 1}"
    return _Cell(report.label(index), number, f"{facts.width} x {facts.height}", tuple(chips), small)


def _unreadable_cell(file: UnreadableFile) -> _Cell:
    return _Cell(file.name, "", "", (("unreadable", "unreadable"),), None, file.reason)


def _group_number(report: DatasetReport, index: int) -> int:
    return 1 + next(n for n, group in enumerate(report.duplicates) if index in group)


def _draw(report: DatasetReport, sections: Sequence[tuple[str, Sequence[_Cell]]]) -> Image.Image:
    count = sum(len(cells) for _, cells in sections)
    columns = min(_MOST_COLUMNS, max(_FEWEST_COLUMNS, math.ceil(math.sqrt(1.4 * count))))
    width = 2 * _MARGIN + columns * (_CELL + _GAP) - _GAP
    parts = [_header(report, width), *(_section(*section, columns, width) for section in sections)]
    sheet = Image.new("RGB", (width, sum(part.height for part in parts)), _PAPER)
    y = 0
    for part in parts:
        sheet.paste(part, (0, y))
        y += part.height
    return sheet


def _header(report: DatasetReport, width: int) -> Image.Image:
    """Name, overview, and the meaning of the coloured chips."""
    # An empty part, as high as its lines and its legend.
    lines = [f"{name}: {value}" for name, value in report.rows()]
    legend = _legend(report, width - 2 * _MARGIN)
    height = _MARGIN + 44 + 23 * len(lines) + 10 + 28 * len(legend)
    part = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(part)
    # The name and the overview.
    name, face = fitted_name(report.name, "pictures", 30, width - 2 * _MARGIN)
    pen.text((_MARGIN, _MARGIN - 8), name, _INK, face)
    y = _MARGIN + 40
    for line in lines:
        text, face = fitted_name(line, line, 16, width - 2 * _MARGIN)
        pen.text((_MARGIN, y), text, _INK, face)
        y += 23
    # The legend: a chip of each kind, and what it means.
    y += 8
    for row in legend:
        x = _MARGIN
        for kind, text in row:
            x = _chip(pen, x, y, kind, _CHIPS[kind][1])
            pen.text((x, y + 1), text, _INK, font(14))
            x += round(font(14).getlength(text)) + 20
        y += 28
    return part


def _legend(report: DatasetReport, width: int) -> list[list[tuple[str, str]]]:
    """Rows of kind and meaning of the chips that occur, with their numbers."""
    counts = {kind: len(report.flagged(kind)) for kind in _CHIPS}
    counts |= {"unreadable": len(report.unreadable)}
    counts |= {split: n for split, n in report.split_counts().items() if split in _CHIPS}
    rows: list[list[tuple[str, str]]] = []
    room = 0.0
    for kind, (_, short, meaning) in _CHIPS.items():
        if not counts[kind]:
            continue
        text = f"{meaning.format(min_side=report.min_side)}: {counts[kind]}"
        needed = font(13).getlength(short) + font(14).getlength(text) + 40
        if needed > room:
            rows.append([])
            room = width
        rows[-1].append((kind, text))
        room -= needed
    return rows


def _section(title: str, cells: Sequence[_Cell], columns: int, width: int) -> Image.Image:
    """A heading and rows of cells, each row as high as its highest picture."""
    rows = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    heights = [max(cell.height for cell in row) for row in rows]
    heading = 48
    part = Image.new("RGB", (width, heading + sum(heights) + len(rows) * (_CAPTION + _GAP)), _PAPER)
    pen = ImageDraw.Draw(part)
    pen.line((_MARGIN, 8, width - _MARGIN, 8), fill=_PALE)
    pen.text((_MARGIN, 15), title, _INK, font(19))
    y = heading
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            x = _MARGIN + column * (_CELL + _GAP)
            _draw_picture(part, pen, x, y + height, cell)
            _draw_caption(pen, x, y + height + 3, cell)
        y += height + _CAPTION + _GAP
    return part


def _draw_picture(part: Image.Image, pen: ImageDraw.ImageDraw, x: int, bottom: int, cell: _Cell) -> None:
    """The thumbnail above `bottom`, framed in the colour of its first chip."""
    kind = cell.chips[0][0] if cell.chips else ""
    color = _CHIPS[kind][0] if kind else _PALE
    if cell.thumbnail is None:
        top = bottom - cell.height
        pen.rectangle((x, top, x + _CELL - 1, bottom - 1), "#f7dfe0", color, _FRAME)
        for n, line in enumerate(textwrap.wrap(latin(cell.reason), 22)[:5]):
            pen.text((x + 14, top + 12 + 20 * n), line, color, font(14))
        return
    left, top = x + (_CELL - cell.thumbnail.width) // 2, bottom - _FRAME - cell.thumbnail.height
    right, bottom = left + cell.thumbnail.width, bottom - _FRAME
    frame = _FRAME if kind else 1
    pen.rectangle((left - frame, top - frame, right + frame - 1, bottom + frame - 1), color)
    part.paste(cell.thumbnail, (left, top))


def _draw_caption(pen: ImageDraw.ImageDraw, x: int, y: int, cell: _Cell) -> None:
    """Name, size and chips."""
    name, face = fitted_name(cell.name, cell.number, 14, _CELL)
    pen.text((x, y), name, _INK, face)
    pen.text((x, y + _NAME), cell.detail, _GRAY, font(13))
    for kind, text in cell.chips:
        x = _chip(pen, x, y + _NAME + _LINE + 2, kind, text)


def _chip(pen: ImageDraw.ImageDraw, x: int, y: int, kind: str, text: str) -> int:
    """Draw a coloured label; returns where the next one may begin."""
    width = round(font(13).getlength(text)) + 10
    pen.rounded_rectangle((x, y, x + width, y + _CHIP), 4, _CHIPS[kind][0])
    pen.text((x + 5, y + 1), text, "white", font(13))
    return x + width + 5
