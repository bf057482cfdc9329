"""Write the table of docs/bad-inputs.md: run each command of tests/bad_inputs.py on its bad file.

python -m scripts.bad_inputs_table docs/bad-inputs.md

puts what the commands said between the two marks in that file.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from brushwork.base.files import write_atomically
from brushwork.cli.main import main as brushwork

if TYPE_CHECKING:
    from tests.bad_inputs import BadInput

START, END = "<!-- rows: made by scripts/bad_inputs_table.py -->", "<!-- end of rows -->"


def row(bad: BadInput, shown: str) -> str:
    """One line of the table."""
    command = " ".join(bad.command[: 2 if bad.command[0] == "judge" else 1])
    return f"| {bad.what} | `brushwork {command}` | {_plain(shown)} |"


def _plain(text: str) -> str:
    """`text` as Markdown shows it in a table."""
    return text.replace("|", "\\|").replace("_", "\\_").replace("*", "\\*").replace("<", "&lt;")


def rows(every: Iterable[BadInput]) -> str:
    """The whole table, made by running all commands."""
    lines = ["| what you give | to | what you see |", "| --- | --- | --- |"]
    for bad in every:
        with tempfile.TemporaryDirectory() as folder:
            places, said = bad.place(Path(folder)), io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                brushwork([part.format(**places) for part in bad.command])
            lines.append(row(bad, bad.shown(said.getvalue(), places)))
    return "\n".join(lines)


def insert(text: str, table: str) -> str:
    """`text` with a new table between the marks. Raises ValueError if the marks are missing."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"The text lacks the lines '{START}' and '{END}'.")
    return f"{before}{START}\n\n{table}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m scripts.bad_inputs_table", description="Write what commands say about bad files."
    )
    parser.add_argument("document", type=Path, metavar="FILE", help="docs/bad-inputs.md")
    path: Path = parser.parse_args(arguments).document
    from tests.bad_inputs import BAD_INPUTS

    try:
        text = insert(path.read_text(encoding="utf-8"), rows(BAD_INPUTS))
    except (OSError, ValueError) as error:
        print(f"scripts.bad_inputs_table: {path}: {error}", file=sys.stderr)
        return 2
    write_atomically(path, text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
