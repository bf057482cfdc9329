"""One pair painted by every program, in turns: what each reaches, and when."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.quality.pairs import Pair
from benchmarks.quality.results_cache import Record, ResultsCache
from benchmarks.quality.scoring import Scorer
from benchmarks.refine import turns
from benchmarks.refine.optimizers import Crowsonkb, Optimizer, Pastiche, Refining
from benchmarks.refine.turns import Point, Scores, Trajectory, Turn, take_turns
from brushwork.pictures.tensors import load_square

# Work between two hand-overs: long against the time that idle threads keep a core busy.
SLICE_SECONDS = 10.0

GENERATED, REFINED = "Generate", "Brushwork"
IN_THE_SAME_TIME = ", in Brushwork's time"
SECONDS, TO_LOSS = "seconds", "seconds to pastiche's loss"


class Comparison:
    """Compares `refining` with `rivals` on squares of `side` pixels; results lie in `cache`, a file a pair.

    Every picture is scored against the very pixels that all programs read.
    """

    def __init__(
        self,
        cache: ResultsCache,
        side: int,
        scorer: Scorer,
        refining: Refining,
        rivals: Sequence[Optimizer],
        threads: int,
        every: int = 5,
    ):
        self.cache, self.side, self.scorer, self.refining, self.rivals = cache, side, scorer, refining, rivals
        self.threads, self.every = threads, every
        parts = [program.identity for program in (refining, *rivals)]
        self._owner = f"comparison-{fingerprint(*parts, turns, Comparison)}"
        self._device = scorer.observer.network.mean.device
        self._kind = f"{side}-{self._device}-{threads}-threads-every-{every}-{scorer.identity}"

    def measured(self, pair: Pair) -> Record:
        """Numbers by "row/name", pictures as 8-bit levels [3,S,S] by row; from disk if they are there."""
        return self.cache.remember(self._owner, self._kind, pair, lambda: self._measure(pair))

    def _measure(self, pair: Pair) -> Record:
        photo, painting = (load_square(file, self.side).to(self._device) for file in pair)
        score = partial(self._score, photo=photo, painting=painting, pair=pair)

        def turn(program: Optimizer) -> Turn:
            def work(watch: turns.Watch) -> None:
                program.paint(photo, painting, watch)

            return Turn(work, score, self.every, SLICE_SECONDS, self.threads)

        programs = (self.refining, *self.rivals)
        taken = [turn(program) for program in programs]
        take_turns(taken)
        found = {program.name: each.trajectory for program, each in zip(programs, taken, strict=True)}
        rows = self._rows(found)

        # A program that goes from coarse to fine shows nothing of use half-way: its whole way is shortened.
        for program in self.rivals:
            if isinstance(program, Crowsonkb):
                share = found[REFINED].end.seconds / found[program.name].end.seconds
                again = turn(program.shortened(share))
                take_turns([again])
                rows[program.name + IN_THE_SAME_TIME] = again.trajectory.end
                found[program.name + IN_THE_SAME_TIME] = again.trajectory
        return _record(rows, self._seconds_to_loss(found))

    def _score(self, picture: Tensor, photo: Tensor, painting: Tensor, pair: Pair) -> Scores:
        return self.scorer.score(picture, photo, painting, pair)

    def _rows(self, found: dict[str, Trajectory]) -> dict[str, Point]:
        refined = found[REFINED]
        rows = {GENERATED: refined.points[0]}
        for name, trajectory in found.items():
            rows[name] = trajectory.end
        for program in self.rivals:
            if isinstance(program, Pastiche):
                rows[program.name + IN_THE_SAME_TIME] = found[program.name].after(refined.end.seconds)
        return rows

    def _seconds_to_loss(self, found: dict[str, Trajectory]) -> dict[str, float]:
        """By row, seconds until the Gram loss was at most pastiche's last one; only rows that got there."""
        loss = next(
            (found[each.name].end.scores["gram"] for each in self.rivals if isinstance(each, Pastiche)), None
        )
        if loss is None:
            return {}
        needed = {name: trajectory.seconds_to("gram", loss) for name, trajectory in found.items()}
        return {name: seconds for name, seconds in needed.items() if seconds is not None}


def _record(rows: dict[str, Point], to_loss: dict[str, float]) -> Record:
    numbers = {f"{row}/{TO_LOSS}": seconds for row, seconds in to_loss.items()}
    for row, point in rows.items():
        numbers[f"{row}/{SECONDS}"] = point.seconds
        numbers |= {f"{row}/{name}": value for name, value in point.scores.items()}
    # Copies: a picture may stand in two rows.
    return Record(numbers, {row: point.levels.clone() for row, point in rows.items()})


def refined_and_generated(
    cache: ResultsCache, side: int, scorer: Scorer, refining: Refining, pair: Pair
) -> Record:
    """Scores of Generate's picture and of what refining makes of it, as "row/name"; from disk if there."""

    def measure() -> Record:
        photo, painting = (load_square(file, side).to(scorer.observer.network.mean.device) for file in pair)

        def score(picture: Tensor) -> Scores:
            return scorer.score(picture, photo, painting, pair)

        # Only the first picture and the last one are looked at.
        turn = Turn(
            lambda watch: refining.paint(photo, painting, watch),
            score,
            every=10**9,
            slice_seconds=SLICE_SECONDS,
            threads=torch.get_num_threads(),
        )
        take_turns([turn])
        points = turn.trajectory.points
        return _record({GENERATED: points[0], REFINED: points[-1]}, {})

    owner = f"refined-{fingerprint(refining.identity, turns)}"
    return cache.remember(owner, f"{side}-{scorer.identity}", pair, measure)
