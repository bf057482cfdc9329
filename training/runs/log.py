"""The log of a run, log.jsonl: a line of JSON for every few steps."""

from __future__ import annotations

import json
import math
from pathlib import Path


def read_log(path: Path) -> list[dict[str, float]]:
    """The lines of a log, each with its step and losses; none if there is no log.

    A line that a crash cut short or that somebody changed is left out: the log only shows how a run went.
    Raises OSError if the file cannot be read.
    """
    if not path.exists():
        return []
    lines = []
    for text in path.read_bytes().splitlines():
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
    return all(type(value) in (int, float) and math.isfinite(value) for value in line.values())
