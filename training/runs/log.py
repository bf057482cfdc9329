"""The log of a run, log.jsonl: a line of JSON for every few steps."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ...base.files import write_atomically
from ...base.system_errors import errors_name

# A line has some hundred bytes, and the longest run that is allowed 200,000 of them.
_LONGEST_LINE = 2**16
_MOST_LINES = 1_000_000
# Whole numbers above it are no floats.
_LARGEST = sys.float_info.max


class RunLog:
    """The log of a run that trains. `lines` are the same in all its processes, and one of them `writes`."""

    def __init__(self, file: Path, writes: bool):
        self.file, self.writes = file, writes
        self.lines: list[dict[str, float]] = []

    def begin(self) -> None:
        """Remove what is there: a run that was killed before its first save left its log behind."""
        if self.writes:
            self.file.unlink(missing_ok=True)

    def resume(self, step: int) -> None:
        """Keep the lines up to `step`: those from after the state was saved will be logged again."""
        self.lines = [line for line in read_log(self.file) if line["step"] <= step]
        if self.writes:
            text = "".join(json.dumps(line) + "\n" for line in self.lines)
            write_atomically(self.file, text.encode())

    def add(self, step: int, rate: float, means: Mapping[str, float]) -> None:
        """A line: the step, steps per second, and the mean losses since the last line."""
        line: dict[str, float] = {"step": step, "steps_per_second": round(rate, 3)}
        line |= {name: round(mean, 5) for name, mean in means.items()}
        self.lines.append(line)
        if self.writes:
            with errors_name(self.file), self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def sync(self) -> None:
        """Return when the lines are on the disk."""
        if self.file.exists():
            with errors_name(self.file), self.file.open("rb+") as file:
                os.fsync(file.fileno())


def log_interval(steps: int) -> int:
    """Steps between two lines of the log: about a hundred lines in a short run, one in 50 in a long one."""
    return max(1, min(50, steps // 100))


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
