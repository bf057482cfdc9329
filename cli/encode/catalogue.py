"""Catalogues, in CSV or JSON, of pictures whose styles become a library."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.excerpt import excerpt
from ...base.files import safe_file_name, slug
from ...base.text_files import read_json, read_text
from ..errors import CommandError

REQUIRED = ("file", "name")
TEXTS = ("artist", "year", "licence", "origin")
COLUMNS = ("id", *REQUIRED, *TEXTS)


@dataclass(frozen=True)
class CatalogueEntry:
    """One picture and what is known about it; `id` is the style file's name without its ending."""

    id: str
    picture: Path
    name: str
    texts: dict[str, str]


def read_catalogue(path: Path, folders: Sequence[Path]) -> list[CatalogueEntry]:
    """The entries of `path`, a .csv with a header line or a .json list of objects.

    Columns are file and name, and if known artist, year, licence, origin and id (default: artist and name in
    plain letters). Pictures are in one of `folders` or beside the catalogue.
    Raises CommandError, one sentence, for a table that cannot be read, a column that is unknown or
    missing, an empty cell in a required column, a missing picture, and two styles of one id.
    """
    rows = _read_rows(path)
    entries = [_entry(f"{path.name}, entry {n}", row, folders, path.parent) for n, row in rows]
    if not entries:
        raise CommandError(f"{path} has no entries.")
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise CommandError(
                f"{path} has two styles with the id '{entry.id}'; give one of them another id."
            )
        seen.add(entry.id)
    return entries


def _read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    try:
        rows = read_json(path) if path.suffix.lower() == ".json" else _read_csv(read_text(path))
    except csv.Error as error:
        reason = excerpt(str(error))
        raise CommandError(f"{path} cannot be read as a table: {reason}.") from error
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CommandError(f"{path} is not a list of objects with the keys {', '.join(COLUMNS)}.")
    return list(enumerate(rows, 1))


def _read_csv(text: str) -> list[dict[str, Any]]:
    # Spreadsheets of some languages put semicolons or tabs between columns.
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    lines = io.StringIO(text, newline="")
    return list(csv.DictReader(lines, restkey="one too many", restval="", delimiter=delimiter))


def _entry(where: str, row: dict[str, Any], folders: Sequence[Path], beside: Path) -> CatalogueEntry:
    if unknown := [str(key) for key in row if key not in COLUMNS]:
        raise CommandError(
            f"{where}: there is no column '{excerpt(unknown[0], 60)}'; choose from {', '.join(COLUMNS)}."
        )
    for column, value in row.items():
        if not isinstance(value, str | int | float | None):
            raise CommandError(f"{where}: the column '{column}' is {excerpt(str(value), 60)}; give a text.")
    cells = {column: str("" if row.get(column) is None else row[column]).strip() for column in COLUMNS}
    for column in REQUIRED:
        if not cells[column]:
            raise CommandError(f"{where}: the column '{column}' is empty; fill it in.")
    candidates = [folder / cells["file"] for folder in (*folders, beside)]
    picture = next((path for path in candidates if os.path.isfile(path)), None)
    if picture is None:
        places = " or ".join([*map(str, folders), "the catalogue's folder"])
        raise CommandError(f"{where}: there is no picture {excerpt(cells['file'], 60)} in {places}.")
    id_ = slug(cells["id"] or f"{cells['artist']} {cells['name']}") or slug(picture.stem)
    if not id_:
        raise CommandError(f"{where}: fill in an id of plain letters, which becomes the file's name.")
    return CatalogueEntry(safe_file_name(id_), picture, cells["name"], {text: cells[text] for text in TEXTS})
