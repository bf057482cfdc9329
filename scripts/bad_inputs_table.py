"""Write the table of docs/bad-inputs.md: run each command of tests/bad_inputs.py on its bad file.

python -m scripts.bad_inputs_table docs/bad-inputs.md

puts what the commands said between the two marks in that file.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from brushwork.cli.main import main as brushwork
from scripts.marked_part import replaced, rewrite

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


def insert(text: str) -> str:
    """`text` with a new table between the marks. Raises ValueError if the marks are missing."""
    from tests.bad_inputs import BAD_INPUTS

    return replaced(text, START, rows(BAD_INPUTS), END)


def main(arguments: Sequence[str] | None = None) -> int:
    description = "Write what commands say about bad files into docs/bad-inputs.md."
    return rewrite("scripts.bad_inputs_table", description, insert, arguments)


if __name__ == "__main__":
    sys.exit(main())
