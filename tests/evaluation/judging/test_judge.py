"""Blind sheets: nothing on them tells the sides; the key does, and the tally counts by it."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brushwork.evaluation.judging.results import paint_pairs
from brushwork.evaluation.judging.sheets import (
    ANSWERS,
    HAND_OUT,
    KEY,
    REFERENCE_SIDE,
    RESULT_SIDE,
    ROWS_PER_PAGE,
    JudgeError,
    Key,
    Row,
    make_sheets,
    match_results,
    read_key,
)
from brushwork.evaluation.judging.tally import Tally, binomial_p, read_answers, tally, wilson_interval
from brushwork.pictures.comparison_sheet import GAP, MARGIN, NUMBER_WIDTH

RED, BLUE, GREY, GOLD = (200, 30, 30), (30, 30, 200), (120, 120, 120), (220, 180, 40)
NAMES = [f"{n:03d}__lake{n}__wave" for n in range(1, 8)]


def paint(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Results of A, red PNGs, and of B, smaller blue ones in another format; photos and a painting."""
    for name in NAMES:
        paint(tmp_path / "first" / f"{name}.png", RED)
        paint(tmp_path / "second" / f"{name}.bmp", BLUE, (20, 15))
        paint(tmp_path / "photos" / f"{name.split('__')[1]}.png", GREY)
    paint(tmp_path / "art" / "wave.png", GOLD)
    return tmp_path


@pytest.fixture
def rows(folders: Path) -> list[Row]:
    return match_results(*(folders / name for name in ("first", "second", "photos", "art")))


def left_side_is_a(page: Image.Image, key: Key, start: int) -> list[bool]:
    """By the colours on the page: whether A, the red one, is on the left, row by row."""
    pixels = np.asarray(page).astype(int)
    x = MARGIN + NUMBER_WIDTH + 2 * (REFERENCE_SIDE + GAP) + RESULT_SIDE // 2
    column, other = pixels[:, x], pixels[:, x + RESULT_SIDE + GAP]
    red, blue = ((np.abs(column - colour).max(1) < 12) for colour in (RED, BLUE))
    assert (((np.abs(other - BLUE).max(1) < 12) == red) & ((np.abs(other - RED).max(1) < 12) == blue)).all()
    starts = np.flatnonzero((red | blue) & ~np.roll(red | blue, 1))
    return [bool(red[y + 5]) for y in starts]


def test_results_find_their_photo_and_painting(rows: list[Row], folders: Path) -> None:
    assert [row.name for row in rows] == NAMES
    assert rows[2].a == folders / "first" / f"{NAMES[2]}.png"
    assert rows[2].b == folders / "second" / f"{NAMES[2]}.bmp"
    assert rows[2].content == folders / "photos" / "lake3.png"
    assert rows[2].style == folders / "art" / "wave.png"


def test_pages_show_what_the_key_says(rows: list[Row], tmp_path: Path) -> None:
    out = tmp_path / "out"
    key = make_sheets(rows, out, ("old", "new"), seed=4)
    pages = sorted((out / HAND_OUT).glob("page-*.jpg"))
    assert len(pages) == math.ceil(len(NAMES) / ROWS_PER_PAGE)
    shown = []
    for number, page in enumerate(pages):
        with Image.open(page) as picture:
            assert not picture.info.keys() & {"exif", "comment"}
            shown += left_side_is_a(picture.convert("RGB"), key, number * ROWS_PER_PAGE)
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


def fill(out: Path, marks: list[str], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """The form with `marks`, as a spreadsheet may save it."""
    with (out / HAND_OUT / ANSWERS).open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    path = out / "filled.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows([*line[:2], mark] for line, mark in zip(lines, marks, strict=True))
    return path


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-8")])
def test_answers_are_counted_for_the_right_side(
    rows: list[Row], tmp_path: Path, delimiter: str, encoding: str
) -> None:
    key = make_sheets(rows, tmp_path, ("old", "new"), seed=4)
    marks = ["l" if left else "r" for left in key.a_is_left]  # A, always
    marks[0] = "="
    marks[1] = " R " if key.a_is_left[1] else "Left"  # B
    found = tally(key, read_answers(fill(tmp_path, marks, delimiter, encoding), key))
    assert (found.a, found.b) == ("old", "new")
    assert (found.wins_a, found.wins_b, found.ties) == (5, 1, 1)


def test_everything_wrong_with_the_answers_is_said_at_once(rows: list[Row], tmp_path: Path) -> None:
    key = make_sheets(rows, tmp_path, ("old", "new"), seed=4)
    form = fill(tmp_path, ["l", "x", "", "r", "=", "l", "r"])
    lines = form.read_text().splitlines()
    lines[7] = f"{key.sheet},12,l"
    form.write_text("\n".join([*lines, f"{key.sheet},1,r"]))
    with pytest.raises(JudgeError) as error:
        read_answers(form, key)
    assert error.value.problems == (
        "Row 2 has the answer 'x'; write l, r or =.",
        "Row 3 has no answer; write l, r or =.",
        "Row '12' is unknown; the sheet has rows 1 to 7.",
        "Row 1 is there twice; keep one of the two lines.",
        f"Row 7 is missing; add the line {key.sheet},7, and your answer.",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("row,answer\n1,l\n", "has no columns sheet, row and answer"),
        ("", "has no columns sheet, row and answer"),
        ("sheet,row,answer\nS-000000,1,l\n", "has answers to sheet S-000000, and the key is for S-"),
        (b"\xff\xfe\xfa", "cannot be read as text; save the form as CSV"),
        (None, "There are no answers"),
    ],
)
def test_forms_of_something_else_are_refused(
    rows: list[Row], tmp_path: Path, text: str | bytes | None, sentence: str
) -> None:
    key = make_sheets(rows, tmp_path, ("old", "new"), seed=4)
    form = tmp_path / "filled.csv"
    if text is not None:
        form.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(JudgeError, match=sentence):
        read_answers(form, key)


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
    with pytest.raises(JudgeError, match=f"first has 1 pictures that .*second has not, '{NAMES[1]}' first"):
        match_results(folders / "first", folders / "second")
    with pytest.raises(ValueError, match="There is no folder"):
        match_results(folders / "first", folders / "third")


def test_a_result_whose_photo_is_not_there_or_not_clear_is_refused(folders: Path) -> None:
    two, photos = [folders / "first", folders / "second"], folders / "photos"
    (photos / "lake3.png").rename(photos / "pond.png")
    with pytest.raises(JudgeError, match=f"photos has no picture for the result '{NAMES[2]}'"):
        match_results(*two, photos)
    paint(photos / "003.png", GREY)
    paint(photos / "lake3.png", GREY)
    with pytest.raises(JudgeError, match=r"photos has 2 pictures, .*003\.png and .*lake3\.png among them"):
        match_results(*two, photos)


def test_a_damaged_result_is_named(rows: list[Row], tmp_path: Path) -> None:
    rows[3].a.write_bytes(b"nothing")
    with pytest.raises(JudgeError, match=f"{NAMES[3]}.png cannot be read as a picture"):
        make_sheets(rows, tmp_path / "out", ("old", "new"), seed=4)
    assert not (tmp_path / "out" / KEY).exists()


def test_wilson_interval_and_exact_test() -> None:
    # Brown, Cai & DasGupta 2001 and the exact binomial distribution of a fair coin.
    assert wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson_interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson_interval(0, 0) == (0, 1)
    assert binomial_p(5, 10) == binomial_p(0, 0) == 1
    assert binomial_p(9, 10) == binomial_p(1, 10) == pytest.approx(2 * 11 / 1024)
    assert binomial_p(1500, 3000) == pytest.approx(1)
    assert 0 < binomial_p(1700, 3000) < 1e-12


@pytest.mark.parametrize(
    ("wins_a", "wins_b", "verdict"),
    [
        (18, 4, "old is preferred to new: old won 18 of 22 decided rows, p = 0.0043."),
        (4, 18, "new is preferred to old: new won 18 of 22 decided rows, p = 0.0043."),
        (12, 10, "No preference for old or new is proven: old won 12 of 22 decided rows, p = 0.83."),
        (0, 0, "No row was decided, so nothing can be said."),
    ],
)
def test_verdict(wins_a: int, wins_b: int, verdict: str) -> None:
    found = Tally("old", "new", wins_a, wins_b, ties=3)
    assert found.verdict() == verdict
    assert f"ties: 3 of {wins_a + wins_b + 3} rows" in found.text()


def test_painted_pairs_are_found_again_by_their_names(gan, inputs_dir: Path, tmp_path: Path) -> None:
    pairs = []
    for number, (photo, art) in enumerate(
        zip(sorted(inputs_dir.glob("photo-*.jpg"))[:2], sorted(inputs_dir.glob("art-*.jpg")), strict=False)
    ):
        # As long as names may be: two of them together would not fit into a third.
        pair = [tmp_path / "photos" / f"{number}{'p' * 240}.jpg", tmp_path / "art" / f"{number}-{art.name}"]
        for source, copy in zip((photo, art), pair, strict=True):
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(source.read_bytes())
        pairs.append((pair[0], pair[1]))
    files = paint_pairs(gan, pairs, tmp_path / "a", side=48)
    paint_pairs(gan, pairs, tmp_path / "b", side=48)
    with Image.open(files[0]) as picture, Image.open(pairs[0][0]) as photo:
        assert min(picture.size) == 48
        assert picture.width / picture.height == pytest.approx(photo.width / photo.height, rel=0.03)
    rows = match_results(*(tmp_path / name for name in ("a", "b", "photos", "art")))
    assert [(row.content, row.style) for row in rows] == pairs
    assert [row.a for row in rows] == files
