"""Blind comparison of two sets of results: pages to look at, a form to fill in, a key, the tally."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ...base.counts import counted
from ...base.excerpt import excerpt
from ...base.files import write_atomically
from ...base.text_files import one_line, read_json
from ...pictures.comparison_sheet import Column, ComparisonSheet
from ...pictures.folders import picture_files
from ...pictures.reading import PictureError, read_picture
from .errors import JudgeError
from .sources import ResultSources

ROWS_PER_PAGE = 3
RESULT_SIDE, REFERENCE_SIDE = 512, 288
HAND_OUT, ANSWERS, KEY = "hand-out", "answers.csv", "key.json"
KEY_FORMAT, KEY_VERSION = "brushwork-judge-key", 1
QUESTION = "Which is the better picture, left or right?"
QUESTION_WITH_STYLE = "Which better paints the photo in the style of the painting, left or right?"
# The tally repeats the names of the sheet and of A and B.
LONGEST_NAME = 1000
INSTRUCTION = f"Write l, r, or = for no difference, behind the row's number in {ANSWERS}."


@dataclass(frozen=True)
class Row:
    """The same task done by A and by B, with the photo and the painting to show beside them."""

    name: str
    a: Path
    b: Path
    content: Path | None = None
    style: Path | None = None

    @property
    def pictures(self) -> list[Path]:
        """All files of the row."""
        return [path for path in (self.a, self.b, self.content, self.style) if path is not None]


@dataclass(frozen=True)
class Key:
    """For the tally alone: whether A is on the left, row by row of the sheet."""

    sheet: str
    a: str
    b: str
    rows: tuple[str, ...]
    a_is_left: tuple[bool, ...]


def match_results(a: Path, b: Path, content: Path | None = None, style: Path | None = None) -> list[Row]:
    """The pictures that have the same names in two folders, except for the ending, sorted by name.

    Two results of one folder may differ in the ending alone; they belong to those of the same whole names.
    A picture of the folders `content` and `style` belongs to a result as `ResultSources` says.

    Raises JudgeError for folders whose names differ, and for results without their picture in
    `content` or `style`, or with several; ValueError, one sentence, for a folder that is not there.
    """
    # Both folders must hold the same names.
    results_a, results_b = _results(a, b)
    for folder, other, missing in (
        (a, b, results_a.keys() - results_b.keys()),
        (b, a, results_b.keys() - results_a.keys()),
    ):
        if missing:
            raise JudgeError(
                f"{folder} has {counted(len(missing), 'picture')} that {other} has not, '{min(missing)}' "
                "first; give two folders with the same file names."
            )

    # Each result with its photo and its painting.
    sources = ResultSources(content, style)
    return [
        Row(name, results_a[name], results_b[name], *sources.pictures_of(name)) for name in sorted(results_a)
    ]


def readable_rows(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """The rows that can be shown, and a sentence on each picture that cannot be read.

    Raises JudgeError if no row is left.
    """
    problems: dict[Path, str] = {}
    known: set[Path] = set()
    for path in (path for row in rows for path in row.pictures):
        if path not in known:
            known.add(path)
            try:
                _read(path)
            except JudgeError as error:
                problems[path] = str(error)
    good = [row for row in rows if not any(path in problems for path in row.pictures)]
    if not good:
        raise JudgeError(*problems.values())
    return good, list(problems.values())


def check_names(names: Sequence[str]) -> None:
    """Raise JudgeError, one sentence, unless the tally can show both names, and they tell A and B apart."""
    fits = all(name.strip() and len(name) <= LONGEST_NAME and one_line(name) == name for name in names)
    if not fits or names[0] == names[1]:
        shown = " and ".join(f"'{excerpt(name)}'" for name in names)
        raise JudgeError(
            f"The names are {shown}; give two different ones on a line each, of at most {LONGEST_NAME} "
            "letters."
        )


def make_sheets(
    rows: Sequence[Row], out: Path, names: tuple[str, str], seed: int, per_page: int = ROWS_PER_PAGE
) -> Key:
    """Write the pages and the answer form into `out`/hand-out, and the key beside that folder.

    `per_page` rows are on a page: a screen shows one row larger than three. `seed` draws the order of the
    rows and the sides; A is on the left in half of the rows. `names` of A and B are for the tally; the pages
    show neither them nor file names. Raises JudgeError if `out` holds a key already, since answers to it
    could not be counted any more, and for names that tell nothing apart.
    """
    check_names(names)
    if (out / KEY).exists():
        raise JudgeError(f"{out} holds a comparison already; name another folder, or delete that one.")

    # Draw the order of the rows and the sides.
    rng = random.Random(seed)
    rows = rng.sample(list(rows), len(rows))
    sides = [i % 2 == 0 for i in range(len(rows))]
    rng.shuffle(sides)
    digest = hashlib.sha256(json.dumps([names, [row.name for row in rows], sides]).encode())
    key = Key(f"S-{digest.hexdigest()[:6]}", *names, tuple(row.name for row in rows), tuple(sides))

    # Write the pages.
    starts = range(0, len(rows), per_page)
    for page, start in enumerate(starts, 1):
        drawn = _draw_page(
            rows[: start + per_page], sides, start, f"{key.sheet}, page {page} of {len(starts)}"
        )
        data = io.BytesIO()
        drawn.save(data, "JPEG", quality=95, subsampling=0)
        write_atomically(out / HAND_OUT / f"page-{page:02d}.jpg", data.getvalue())

    # Write the form, and the key beside what is handed out.
    form = io.StringIO()
    table = csv.writer(form, lineterminator="\r\n")
    table.writerows([("sheet", "row", "answer"), *((key.sheet, n, "") for n in range(1, len(rows) + 1))])
    write_atomically(out / HAND_OUT / ANSWERS, form.getvalue().encode())
    write_atomically(out / KEY, _pack_key(key, rng))
    return key


def read_key(path: str | os.PathLike[str]) -> Key:
    """The key that `make_sheets` wrote. Raises JudgeError, one sentence, for anything else."""
    if not os.path.exists(path):
        raise JudgeError(f"There is no key {path}; give the {KEY} that belongs to the sheet.")
    try:
        return _unpack_key(read_json(path))
    except (ValueError, KeyError, TypeError) as error:
        raise JudgeError(f"{path} is not a key that this Brushwork wrote; give the sheet's {KEY}.") from error


def _unpack_key(record: Any) -> Key:  # noqa: ANN401  # whatever the file holds
    """Raises ValueError, KeyError or TypeError for anything that `_pack_key` did not make."""
    if (record["format"], record["version"]) != (KEY_FORMAT, KEY_VERSION):
        raise ValueError("another format")
    sides = tuple(byte % 2 == 1 for byte in base64.b64decode(record["sides"], validate=True))
    key = Key(record["sheet"], record["a"], record["b"], tuple(record["rows"]), sides)
    if not all(isinstance(text, str) for text in (key.sheet, key.a, key.b, *key.rows)):
        raise TypeError("names that are no text")
    if not isinstance(record["rows"], list) or len(key.rows) != len(sides):
        raise ValueError("rows without sides")
    if max(map(len, (key.sheet, key.a, key.b))) > LONGEST_NAME:
        raise ValueError("names of any length")
    return key


def _pack_key(key: Key, rng: random.Random) -> bytes:
    # A glance at the file must not tell the sides: each is the parity of a random byte.
    sides = bytes(rng.randrange(128) * 2 + left for left in key.a_is_left)
    record = {
        "format": KEY_FORMAT,
        "version": KEY_VERSION,
        "sheet": key.sheet,
        "a": key.a,
        "b": key.b,
        "rows": key.rows,
        "sides": base64.b64encode(sides).decode(),
    }
    return json.dumps(record, indent=1).encode()


def _draw_page(rows: Sequence[Row], sides: Sequence[bool], start: int, title: str) -> Image.Image:
    references = [("photo", "content"), ("painting", "style")]
    shown = [(name, attribute) for name, attribute in references if getattr(rows[0], attribute)]
    columns = [Column(name, REFERENCE_SIDE) for name, _ in shown]
    columns += [Column("left", RESULT_SIDE), Column("right", RESULT_SIDE)]
    question = QUESTION_WITH_STYLE if len(shown) == len(references) else QUESTION
    sheet = ComparisonSheet(columns, question, f"{INSTRUCTION}   {title}")
    for i in range(start, len(rows)):
        row = rows[i]
        files = [getattr(row, attribute) for _, attribute in shown]
        files += [row.a, row.b] if sides[i] else [row.b, row.a]
        sheet.add_row([_read(file) for file in files], i + 1)
    return sheet.draw()


def _read(file: Path) -> Image.Image:
    try:
        return read_picture(file)
    except PictureError as error:
        raise JudgeError(f"{file} cannot be read as a picture: {one_line(error.reason)}.") from error


def _results(a: Path, b: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """The pictures of two folders by their path in it: whole where both have it, else without the ending."""
    files_a, files_b = (_pictures(folder) for folder in (a, b))
    whole = files_a.keys() & files_b.keys()
    stems = {name.rpartition(".")[0]: 0 for name in whole}
    for name in whole:
        stems[name.rpartition(".")[0]] += 1
    # The same in both folders needs its ending only where another result has its name.
    names = {name: name if stems[name.rpartition(".")[0]] > 1 else name.rpartition(".")[0] for name in whole}
    return _by_name(files_a, names), _by_name(files_b, names)


def _pictures(folder: Path) -> dict[str, Path]:
    found = {path.relative_to(folder).as_posix(): path for path in picture_files(folder)}
    if not found:
        raise JudgeError(f"The folder {folder} holds no pictures; give one that does.")
    return found


def _by_name(files: dict[str, Path], names: dict[str, str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for whole, path in files.items():
        name = names.get(whole, whole.rpartition(".")[0])
        if name in found:
            raise JudgeError(f"{found[name]} and {path} have one name; keep only one of them.")
        found[name] = path
    return found
