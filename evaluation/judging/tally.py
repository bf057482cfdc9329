"""Counts the answers of a blind comparison: shares, interval, significance, verdict."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from statistics import NormalDist

from ...base.counts import counted
from ...base.excerpt import excerpt
from ...base.text_files import read_text
from .errors import JudgeError
from .sheets import Key

LEVEL = 0.95
# Of a form that has been filled in wrong; and its size in bytes.
MOST_PROBLEMS = 100
LARGEST_FORM = 2**20
MARKS = {"l": "l", "left": "l", "r": "r", "right": "r", "=": "=", "t": "=", "tie": "="}


@dataclass(frozen=True)
class Tally:
    """What the judge preferred. Ties are counted and left out of the statistics."""

    a: str
    b: str
    wins_a: int
    wins_b: int
    ties: int

    @property
    def decided(self) -> int:
        return self.wins_a + self.wins_b

    @property
    def share_a(self) -> float:
        """A's share of the decided rows; one half if no row was decided."""
        return self.wins_a / self.decided if self.decided else 0.5

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of A's share, see `wilson_interval`."""
        return wilson_interval(self.wins_a, self.decided)

    @property
    def p_value(self) -> float:
        """How likely a split as uneven as this is if neither is preferred, see `binomial_p`."""
        return binomial_p(self.wins_a, self.decided)

    def verdict(self) -> str:
        """One sentence."""
        if not self.decided:
            return "No row was decided, so nothing can be said."
        first, second = (self.a, self.b) if self.wins_a >= self.wins_b else (self.b, self.a)
        most = max(self.wins_a, self.wins_b)
        split = f"{first} won {most} of {counted(self.decided, 'decided row')}, p = {self.p_value:.2g}"
        if self.p_value < 1 - LEVEL:
            return f"{first} is preferred to {second}: {split}."
        return f"No preference for {self.a} or {self.b} is proven: {split}."

    def text(self) -> str:
        """Counts, interval and verdict, a line each."""
        low, high = self.interval
        rows = self.decided + self.ties
        return "\n".join(
            [
                f"A  {self.a}: {counted(self.wins_a, 'win')}",
                f"B  {self.b}: {counted(self.wins_b, 'win')}",
                f"ties: {self.ties} of {counted(rows, 'row')}",
                f"A preferred in {self.share_a:.1%} of {counted(self.decided, 'decided row')} "
                f"({LEVEL:.0%} interval {low:.1%} to {high:.1%}, Wilson)",
                f"exact two-sided binomial test: p = {self.p_value:.4f}",
                self.verdict(),
            ]
        )


def wilson_interval(wins: int, count: int, level: float = LEVEL) -> tuple[float, float]:
    """Confidence interval of a share (Wilson 1927); 0 to 1 where nothing was counted.

    >>> [round(bound, 3) for bound in wilson_interval(8, 10)]
    [0.49, 0.943]
    """
    if count == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = wins / count
    center = share + z * z / (2 * count)
    margin = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (center - margin) / scale), min(1.0, (center + margin) / scale)


def binomial_p(wins: int, count: int) -> float:
    """Exact two-sided p of a fair coin that falls this unevenly or more.

    >>> binomial_p(8, 10)
    0.109375
    """
    most = max(wins, count - wins)
    tail = sum(math.comb(count, k) for k in range(most, count + 1))
    return min(1.0, 2 * tail / (1 << count))


def tally(key: Key, marks: Sequence[str]) -> Tally:
    """Count marks, one of l, r and = for every row of the sheet in order."""
    votes = Counter(
        "tie" if mark == "=" else "a" if (mark == "l") == left else "b"
        for mark, left in zip(marks, key.a_is_left, strict=True)
    )
    return Tally(key.a, key.b, votes["a"], votes["b"], votes["tie"])


def read_answers(path: Path, key: Key) -> list[str]:
    """The marks l, r and = in the form at `path`, for every row of the sheet in order.

    Commas, semicolons or tabs may separate the columns, as spreadsheets write any of them. Raises JudgeError
    with one sentence for everything that is wrong: rows that are unknown, missing or there twice, other
    marks, the form of another sheet.
    """
    marks: dict[int, str] = {}
    problems = []
    for row, answer in _read_form(path, key):
        mark = MARKS.get(answer.strip().lower())
        # Longer numbers are no rows, and Python refuses some of them.
        number = int(row) if row.strip().isdecimal() and len(row.strip()) < 10 else 0
        if not 1 <= number <= len(key.rows):
            problems.append(f"Row '{excerpt(row, 60)}' is unknown; the sheet has rows 1 to {len(key.rows)}.")
        elif number in marks:
            problems.append(f"Row {number} is there twice; keep one of the two lines.")
        elif mark is None:
            marks[number] = ""
            given = f"has the answer '{excerpt(answer, 60)}'" if answer.strip() else "has no answer"
            problems.append(f"Row {number} {given}; write l, r or =.")
        else:
            marks[number] = mark
    missing = [n for n in range(1, len(key.rows) + 1) if n not in marks]
    problems += [f"Row {n} is missing; add the line {key.sheet},{n}, and your answer." for n in missing]
    if len(problems) > MOST_PROBLEMS:
        problems[MOST_PROBLEMS - 1 :] = [f"There are {len(problems) - MOST_PROBLEMS + 1} more such lines."]
    if problems:
        raise JudgeError(*problems)
    return [marks[n] for n in range(1, len(key.rows) + 1)]


def _read_form(path: Path, key: Key) -> list[tuple[str, str]]:
    """(row, answer) as the form has them."""
    # Read the text, whatever separates its columns.
    if not path.exists():
        raise JudgeError(f"There are no answers {path}; give the form that was filled in.")
    try:
        text = read_text(path, LARGEST_FORM)
        head = text.partition("\n")[0]
        delimiter = max(",;\t", key=head.count)
        lines = [line for line in csv.reader(text.splitlines(), delimiter=delimiter) if any(line)]
    except (ValueError, csv.Error) as error:
        raise JudgeError(f"{path} cannot be read as text; save the form as CSV.") from error
    names = [cell.strip().lower() for cell in lines[0]] if lines else []
    if not {"sheet", "row", "answer"} <= set(names):
        raise JudgeError(f"{path} has no columns sheet, row and answer; fill in the form as it came.")

    # Take the cells of every line that belongs to this sheet; a line of another sheet ends it.
    found = []
    for line in lines[1:]:
        # A spreadsheet leaves out cells that are empty at the end of a line.
        cells = dict(zip_longest(names, line[: len(names)], fillvalue=""))
        if cells["sheet"].strip() != key.sheet:
            other = excerpt(cells["sheet"], 60) or "(none)"
            raise JudgeError(
                f"{path} has answers to sheet {other}, and the key is for {key.sheet}; "
                "give the two that belong together."
            )
        found.append((cells["row"], cells["answer"]))
    return found
