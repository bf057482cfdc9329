"""`brushwork styles`: the styles of the library, a line for each."""

from __future__ import annotations

import argparse
import csv
import difflib
import glob
import io
import os
from pathlib import Path

from ..base.excerpt import excerpt
from ..base.shipped import LIBRARY_PREFIX, STYLES_DIR, library_styles
from ..base.text_files import read_text
from .errors import CommandError
from .pictures import check_leads_to_file
from .terminal import tell


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "styles",
        description="List the styles of the library: the name for --style of brushwork paint, then artist, "
        "title and year.",
    )
    parser.set_defaults(func=run)


def run(args: object) -> int:
    """Print the list; returns 0."""
    names = [name.removeprefix(LIBRARY_PREFIX) for name in library_styles()]
    rows = csv.DictReader(io.StringIO(read_text(STYLES_DIR / "catalogue.csv")))
    known = {row["id"]: f"{row['artist']}, {row['name']}, {row['year']}" for row in rows}
    width = max(map(len, names))
    for name in names:
        tell(f"{name:{width}}  {known.get(name, '')}".rstrip())
    return 0


def check_style_named(text: str) -> None:
    """Raise CommandError if `text` is neither a pattern nor there, nor a style of the library."""
    check_leads_to_file(text, "--style")
    if not os.path.exists(text) and not glob.has_magic(text):
        library_style(text)


def library_style(text: str) -> Path:
    """The file of the library style that `text` names, with or without 'library/'. Raises CommandError."""
    if not text:
        raise CommandError("One --style is empty; give a file, a folder or a style of the library.")
    library = library_styles()
    path = library.get(text) or library.get(LIBRARY_PREFIX + text)
    if path is not None:
        return path
    ids = [name.removeprefix(LIBRARY_PREFIX) for name in library]
    wanted = text.removeprefix(LIBRARY_PREFIX).lower()
    close = [id_ for id_ in ids if wanted in id_] or difflib.get_close_matches(wanted, ids)
    hint = f"did you mean {' or '.join(close[:4])}? " if close else "check the name; "
    raise CommandError(
        f"--style {excerpt(text, 300)} is no file or folder and no style of the library; "
        f"{hint}brushwork styles lists the library."
    )
