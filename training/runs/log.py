"""The log of a run, log.jsonl: a line of JSON for every few steps."""

from __future__ import annotations

import json
import sys
from pathlib import Path

# A line has some hundred bytes, and the longest run that is allowed 200,000 of them.
_LONGEST_LINE = 2**16
_MOST_LINES = 1_000_000
# Whole numbers above it are no floats.
_LARGEST = sys.float_info.max


def read_log(path: Path) -> list[dict[str, float]]:
    """The lines of a log, each with its step and losses; none if there is no log.

    A line that a crash cut short or that somebody changed is left out: the log only shows how a run went.
    Raises OSError if the file cannot be read.
    """
    if not path.is_file():
        return []
    lines: list[dict[str, float]] = []
    with path.open("rb") as file:
        while len(lines) < _MOST_LINES and (text := file.readline(_LONGEST_LINE)):
            try:
                line = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if _is_line(line):
                lines.append(line)
    return lines


def _is_line(line: object) -> bool:
    if not isinstance(line, dict) or type(line.get("step")) is not int:
        return False
    return all(type(value) in (int, float) and -_LARGEST < value < _LARGEST for value in line.values())
