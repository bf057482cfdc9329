"""Write the options of a training run as Markdown tables into docs/training.md.

    python -m scripts.options_table docs/training.md

puts them between the two marks in that file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from typing import Any

from brushwork.training.options import MODES, LossWeights, TrainOptions
from scripts.marked_part import replaced, rewrite

START, END = "<!-- options: made by scripts/options_table.py -->", "<!-- end of options -->"


def tables() -> str:
    """Two tables, of the options and of the loss weights, with the default of every mode."""
    defaults = {mode: TrainOptions.for_mode(mode) for mode in MODES}
    options = [f for f in fields(TrainOptions) if f.name not in ("mode", "weights")]
    weights = list(fields(LossWeights))
    return "\n\n".join(
        [
            _table("option", options, lambda mode, name: getattr(defaults[mode], name)),
            _table("weight", weights, lambda mode, name: getattr(defaults[mode].weights, name)),
        ]
    )


def insert(text: str) -> str:
    """`text` with new tables between the marks. Raises ValueError if the marks are missing."""
    return replaced(text, START, tables(), END)


def _table(what: str, options: Sequence[Field[Any]], default: Callable[[str, str], object]) -> str:
    lines = [f"| {what} | {' | '.join(MODES)} | range | |", f"| --- |{' ---: |' * len(MODES)} --- | --- |"]
    for option in options:
        values = " | ".join(_show(default(mode, option.name)) for mode in MODES)
        low, high = option.metadata["low"], option.metadata["high"]
        range_ = "" if low is None else f"{_show(low)} … {_show(high)}"
        lines.append(f"| `{option.name}` | {values} | {range_} | {option.metadata['text']} |")
    return "\n".join(lines)


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_show, value))
    if isinstance(value, str):
        return value.replace("_", "\\_")
    if value == 2**63 - 1:
        return "2⁶³-1"
    return f"{value:g}" if isinstance(value, float) else f"{value:,}"


def main(arguments: Sequence[str] | None = None) -> int:
    description = "Write the options of a training run into docs/training.md."
    return rewrite("scripts.options_table", description, insert, arguments)


if __name__ == "__main__":
    sys.exit(main())
