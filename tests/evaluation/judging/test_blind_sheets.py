"""Blind sheets: nothing on them tells the sides; the key does."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from judged_results import BLUE, GRAY, NAMES, RED, paint
from PIL import Image

from brushwork.evaluation.judging.errors import JudgeError
from brushwork.evaluation.judging.sheets import (
    ANSWERS,
    HAND_OUT,
    KEY,
    REFERENCE_SIDE,
    RESULT_SIDE,
    Key,
    Row,
    make_sheets,
    match_results,
    read_key,
)
from brushwork.pictures.comparison_sheet import GAP, MARGIN, NUMBER_WIDTH


def left_side_is_a(page: Image.Image, key: Key, start: int) -> list[bool]:
    """By the colours on the page: whether A, the red one, is on the left, row by row."""
    pixels = np.asarray(page).astype(int)
    x = MARGIN + NUMBER_WIDTH + 2 * (REFERENCE_SIDE + GAP) + RESULT_SIDE // 2
    column, other = pixels[:, x], pixels[:, x + RESULT_SIDE + GAP]
    red, blue = ((np.abs(column - color).max(1) < 12) for color in (RED, BLUE))
    assert (((np.abs(other - BLUE).max(1) < 12) == red) & ((np.abs(other - RED).max(1) < 12) == blue)).all()
    starts = np.flatnonzero((red | blue) & ~np.roll(red | blue, 1))
    return [bool(red[y + 5]) for y in starts]


def test_results_find_their_photo_and_painting(rows: list[Row], folders: Path) -> None:
    assert [row.name for row in rows] == NAMES
    assert rows[2].a == folders / "first" / f"{NAMES[2]}.png"
    assert rows[2].b == folders / "second" / f"{NAMES[2]}.bmp"
    assert rows[2].content == folders / "photos" / "lake3.png"
    assert rows[2].style == folders / "art" / "wave.png"


@pytest.mark.parametrize("per_page", [1, 3, 100])
def test_pages_show_what_the_key_says(rows: list[Row], tmp_path: Path, per_page: int) -> None:
    out = tmp_path / "out"
    key = make_sheets(rows, out, ("old", "new"), seed=4, per_page=per_page)
    pages = sorted((out / HAND_OUT).glob("page-*.jpg"))
    assert len(pages) == math.ceil(len(NAMES) / per_page)
    shown = []
    for number, page in enumerate(pages):
        with Image.open(page) as picture:
            assert not picture.info.keys() & {"exif", "comment"}
            shown += left_side_is_a(picture.convert("RGB"), key, number * per_page)
    assert tuple(shown) == key.a_is_left
    assert sum(key.a_is_left) == 4  # of 7: half, rounded up
    assert sorted(key.rows) == NAMES
    assert list(key.rows) != NAMES
    assert read_key(out / KEY) == key


def test_nothing_that_is_handed_out_names_a_side(rows: list[Row], tmp_path: Path) -> None:
    make_sheets(rows, tmp_path / "out", ("old", "new"), seed=4)
    handed_out = sorted((tmp_path / "out" / HAND_OUT).iterdir())
    assert [path.name for path in handed_out] == [ANSWERS, "page-01.jpg", "page-02.jpg", "page-03.jpg"]
    for path in handed_out:
        data = path.read_bytes()
        for word in (b"old", b"new", b"first", b"second", b"lake"):
            assert word not in data
    assert "true" not in (tmp_path / "out" / KEY).read_text()


def test_the_seed_decides_and_another_decides_otherwise(rows: list[Row], tmp_path: Path) -> None:
    keys = [make_sheets(rows, tmp_path / str(n), ("old", "new"), seed) for n, seed in enumerate((1, 1, 2))]
    assert keys[0] == keys[1]
    assert (keys[0].rows, keys[0].a_is_left) != (keys[2].rows, keys[2].a_is_left)


def test_a_sheet_that_is_there_is_not_overwritten(rows: list[Row], tmp_path: Path) -> None:
    make_sheets(rows, tmp_path / "out", ("old", "new"), seed=1)
    with pytest.raises(JudgeError, match="holds a comparison already"):
        make_sheets(rows, tmp_path / "out", ("old", "new"), seed=2)


def test_keys_of_something_else_are_refused(rows: list[Row], tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="There is no key"):
        read_key(tmp_path / "lost.json")
    make_sheets(rows, tmp_path, ("old", "new"), seed=4)
    record = json.loads((tmp_path / KEY).read_text())
    for change in ({"version": 2}, {"sides": "AAAA"}, {"rows": None}):
        (tmp_path / "other.json").write_text(json.dumps(record | change))
        with pytest.raises(JudgeError, match=r"other\.json is not a key that this Brushwork wrote"):
            read_key(tmp_path / "other.json")


def test_folders_that_do_not_match_are_refused(folders: Path) -> None:
    (folders / "second" / f"{NAMES[1]}.bmp").unlink()
    with pytest.raises(JudgeError, match=f"first has 1 picture that .*second has not, '{NAMES[1]}' first"):
        match_results(folders / "first", folders / "second")
    with pytest.raises(ValueError, match="There is no folder"):
        match_results(folders / "first", folders / "third")


def test_a_result_whose_photo_is_not_there_or_not_clear_is_refused(folders: Path) -> None:
    two, photos = [folders / "first", folders / "second"], folders / "photos"
    (photos / "lake3.png").rename(photos / "pond.png")
    with pytest.raises(JudgeError, match=f"photos has no picture for the result '{NAMES[2]}'"):
        match_results(*two, photos)
    paint(photos / "003.png", GRAY)
    paint(photos / "lake3.png", GRAY)
    with pytest.raises(JudgeError, match=r"photos has 2 pictures, .*003\.png and .*lake3\.png among them"):
        match_results(*two, photos)


def test_a_damaged_result_is_named(rows: list[Row], tmp_path: Path) -> None:
    rows[3].a.write_bytes(b"nothing")
    with pytest.raises(JudgeError, match=f"{NAMES[3]}.png cannot be read as a picture"):
        make_sheets(rows, tmp_path / "out", ("old", "new"), seed=4)
    assert not (tmp_path / "out" / KEY).exists()
