"""The tally counts answers by the key, and says whether a preference is proven."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from brushwork.evaluation.judging.errors import JudgeError
from brushwork.evaluation.judging.sheets import (
    ANSWERS,
    HAND_OUT,
    Row,
    make_sheets,
)
from brushwork.evaluation.judging.tally import Tally, binomial_p, read_answers, tally, wilson_interval


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
