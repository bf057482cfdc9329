"""The contact sheet: which pictures are on it, in which order, and how they are marked."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brushwork.dataset.picture_facts import PictureFacts
from brushwork.dataset.report import DatasetReport, UnreadableFile
from brushwork.dataset.sheet import MOST, dataset_sheet

PAPER = (243, 242, 238)


def color(number: int) -> tuple[int, int, int]:
    """One colour for every picture, to be found again on the sheet: green and blue tell the number."""
    return 250, 8 * (number % 16), 8 * (number // 16)


def picture(number: int, name: str = "", **changes: object) -> PictureFacts:
    """Facts with nothing wrong, and a thumbnail of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (168, 120), color(number)).save(file, "JPEG", quality=100, subsampling=0)
    fields = {
        "name": name or f"{number}.jpg",
        "source": Path(f"{number}.jpg"),
        "width": 800,
        "height": 600,
        "format": "JPEG",
        "frames": 1,
        "transparent": False,
        "digest": str(number),
        "hash": None,
        "contrast": 20.0,
        "color_spread": 10.0,
        "thumbnail": file.getvalue(),
    }
    return PictureFacts(**(fields | changes))


def report(
    pictures: Sequence[PictureFacts],
    copies: dict[int, int] | None = None,
    splits: dict[int, str] | None = None,
    unreadable: Sequence[UnreadableFile] = (),
) -> DatasetReport:
    """`copies`: index of a picture -> index of the one it equals; `splits`: what is not for training."""
    numbers = range(len(pictures))
    return DatasetReport(
        "monet",
        tuple(pictures),
        tuple(unreadable),
        tuple((copies or {}).get(i, i) for i in numbers),
        tuple((splits or {}).get(i, "train") for i in numbers),
    )


def shown(sheet: Image.Image) -> list[int]:
    """The numbers of the pictures on the sheet, row by row."""
    pixels = np.asarray(sheet).astype(int)[::4, ::4]
    steps = (pixels[:, :, 1:] / 8).round().astype(int)
    near = (np.abs(pixels[:, :, 0] - 250) <= 2) & (np.abs(pixels[:, :, 1:] - 8 * steps).max(2) <= 2)
    y, x = np.nonzero(near & (steps.max(2) < 16))
    numbers, first = np.unique(steps[y, x, 0] + 16 * steps[y, x, 1], return_index=True)
    return [int(number) for number in numbers[np.lexsort((x[first], y[first]))]]


def has(sheet: Image.Image, code: str) -> bool:
    wanted = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)])
    return bool((np.asarray(sheet) == wanted).all(2).any())


def test_few_pictures_are_all_there_in_order() -> None:
    sheet = dataset_sheet(report([picture(i) for i in range(12)]))
    assert sheet.mode == "RGB"
    assert shown(sheet) == list(range(12))


def test_what_needs_a_look_comes_first_and_copies_stand_together() -> None:
    pictures = [picture(i) for i in range(12)]
    pictures[2] = picture(2, width=100)
    pictures[9] = picture(9, contrast=1.0)
    pictures[5] = picture(5, frames=3)
    pictures[0] = picture(0, color_spread=0.5)
    copies = {8: 1, 11: 4}
    sheet = dataset_sheet(report(pictures, copies, {11: "val"}))
    assert shown(sheet) == [4, 11, 1, 8, 9, 2, 5, 0, 3, 6, 7, 10]


@pytest.mark.parametrize(
    ("mark", "change"),
    [
        ("#b45309", {"copies": {1: 0}}),
        ("#c8102e", {"copies": {1: 0}, "splits": {1: "test"}}),
        ("#1d4ed8", {"splits": {1: "val"}}),
        ("#0b7a5c", {"splits": {1: "test"}}),
        ("#8f0015", {"unreadable": [UnreadableFile("cut.jpg", "it is damaged")]}),
        ("#7b2cbf", {"height": 90}),
        ("#7c4a00", {"contrast": 2.9}),
        ("#596570", {"color_spread": 2.4}),
        ("#00697a", {"frames": 2}),
        ("#4d6b0f", {"transparent": True}),
    ],
)
def test_every_mark_is_drawn_where_it_is_due_and_only_there(mark: str, change: dict) -> None:
    of_report = {k: v for k, v in change.items() if k in ("copies", "splits", "unreadable")}
    of_picture = {k: v for k, v in change.items() if k not in of_report}
    rest = [picture(i) for i in range(1, 6)]
    plain = dataset_sheet(report([picture(0), *rest]))
    marked = dataset_sheet(report([picture(0, **of_picture), *rest], **of_report))
    assert has(marked, mark)
    assert not has(plain, mark)


def test_of_many_an_even_sample() -> None:
    numbers = shown(dataset_sheet(report([picture(i) for i in range(240)])))
    assert len(numbers) == MOST
    assert numbers == list(range(0, 240, 2))


def test_many_problems_leave_room_for_the_style() -> None:
    pictures = [picture(i, width=90) if i < 200 else picture(i) for i in range(240)]
    numbers = shown(dataset_sheet(report(pictures)))
    assert len(numbers) == MOST
    assert sum(n < 200 for n in numbers) == MOST * 4 // 5
    assert numbers[: MOST * 4 // 5] == list(range(MOST * 4 // 5))
    all_bad = shown(dataset_sheet(report([picture(i, width=90) for i in range(240)])))
    assert all_bad == list(range(MOST))


def test_names_stay_in_their_column_and_any_script_is_drawn() -> None:
    names = ["x" * 200, "富嶽三十六景 神奈川沖浪裏.jpg", "Größe – Ärger.png", "\n\t.png", "W" * 60]
    sheet = dataset_sheet(report([picture(i, name) for i, name in enumerate(names * 2)]))
    assert sheet.size == dataset_sheet(report([picture(i) for i in range(10)])).size
    pixels = np.asarray(sheet)
    columns, left, cell, gap = 5, 24, 178, 16
    assert sheet.width == 2 * left + columns * (cell + gap) - gap
    thumbnails = np.flatnonzero((np.abs(pixels[:, :, 0].astype(int) - 250) <= 2).any(1))
    for column in range(1, columns):
        between = left + column * (cell + gap) - gap + 2
        assert (pixels[thumbnails[0] :, between : between + gap - 4] == PAPER).all()


def test_nothing_but_files_that_cannot_be_read() -> None:
    files = [UnreadableFile(f"{i}.png", "it is not in a format that Pillow reads") for i in range(130)]
    sheet = dataset_sheet(report([], unreadable=files))
    assert has(sheet, "#8f0015")
    assert shown(sheet) == []
    assert sheet.height < 4000
