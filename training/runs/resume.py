"""What a run needs to go on: how far it was, and the options that it was begun with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeGuard

from ..options import TrainOptions
from ..state import MOST_STEPS, is_number, open_state, progress_problem
from ..trainer import TrainingError


@dataclass
class RunProgress:
    """What a run keeps beside the weights; saved with the state, exact through JSON."""

    sums: dict[str, float]
    """Losses added up since the last line of the log, and how many of each."""
    counts: dict[str, int]
    scores: list[dict[str, float]]
    """Every validation: its step and its losses."""
    best_step: int | None = None
    worse: int = 0
    """Validations since the best one."""

    def count(self, losses: Mapping[str, float]) -> None:
        """Add the finite ones of a step's losses."""
        for name, value in losses.items():
            if math.isfinite(value):
                self.sums[name] = self.sums.get(name, 0.0) + value
                self.counts[name] = self.counts.get(name, 0) + 1

    def take_means(self) -> dict[str, float]:
        """The means of the losses since the last call."""
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means

    @classmethod
    def read(cls, record: object) -> RunProgress:
        """The inverse of `asdict`. Raises TrainingError, one sentence, for anything else."""
        record = record if isinstance(record, dict) else {}
        best, worse = record.get("best_step"), record.get("worse", 0)
        sums, counts, scores = (record.get(key) for key in ("sums", "counts", "scores"))
        if (
            record.keys() <= {each.name for each in fields(cls)}
            and _are_numbers(sums)
            and _are_numbers(counts)
            and sums.keys() == counts.keys()
            and all(type(number) is int and number > 0 for number in counts.values())
            and isinstance(scores, list)
            and all(_are_numbers(score) and {"step", "total"} <= score.keys() for score in scores)
            and (best is None or (type(best) is int and 0 <= best <= MOST_STEPS))
            and (type(worse) is int and 0 <= worse <= MOST_STEPS)
        ):
            return cls(sums, counts, scores, best, worse)
        raise TrainingError(
            "The training state is damaged: its record of losses and validations is no such record; "
            "begin a new run."
        )


def _are_numbers(record: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(record, dict) and all(is_number(value) for value in record.values())


def resume_options(state: Path, changes: dict[str, object]) -> TrainOptions:
    """The options that the run with this state file was started with, some of them changed.

    Raises CheckpointError, TrainingError or ValueError, one sentence, for a damaged file, options of another
    version, and values out of their ranges.
    """
    with open_state(state) as (_, header):
        known = header.get("options")
    if not isinstance(known, dict):
        raise TrainingError(f"{state} is damaged: its options are no object; begin a new run.")
    try:
        options = TrainOptions.from_dict(known | changes)
    except (KeyError, TypeError) as error:
        raise TrainingError(
            f"The run in {state.parent} was begun with another version of Brushwork; begin a new one, "
            "with its network as --init."
        ) from error
    if problem := progress_problem(header):
        raise TrainingError(f"{state} is damaged: {problem}; begin a new run.")
    return options
