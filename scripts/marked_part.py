"""The part of a document that a script makes: it stands between two marks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from brushwork.base.files import write_atomically


def replaced(text: str, start: str, part: str, end: str) -> str:
    """`text` with a new `part` between the marks. Raises ValueError if the marks are missing."""
    before, found_start, rest = text.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end):
        raise ValueError(f"The text lacks the lines '{start}' and '{end}'.")
    return f"{before}{start}\n\n{part}\n\n{end}{after}"


def rewrite(
    module: str, description: str, insert: Callable[[str], str], arguments: Sequence[str] | None
) -> int:
    """The command of a script: `insert` the part anew into the document that `arguments` name.

    Returns the exit code: 2, with a sentence on standard error, if the document cannot be read or written.
    """
    parser = argparse.ArgumentParser(f"python -m {module}", description=description)
    parser.add_argument("document", type=Path, metavar="FILE", help="the Markdown file")
    path: Path = parser.parse_args(arguments).document
    try:
        text = insert(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{module}: {path}: {error}", file=sys.stderr)
        return 2
    write_atomically(path, text.encode())
    return 0
