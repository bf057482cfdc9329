"""The display of `brushwork train` while it runs."""

from __future__ import annotations

import math

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column

from ...base.duration import duration
from ...training.runs.run import Run
from ..terminal import say

SHOWN = ("content", "gram", "mean_std", "adversarial", "total")


class TrainDisplay:
    """A progress bar on a terminal; in a file or a pipe, a line for every line of the run's log."""

    def __init__(self, console: Console, run: Run):
        self.run, self.console = run, console
        self._steps = run.trainer.options.steps
        columns = (
            TextColumn("[bold]train"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed_text]}"),
            TextColumn("{task.fields[losses]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        )
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task(
            "train", total=self._steps, completed=run.trainer.step, speed_text="", losses=""
        )
        self._lines = len(run.log.lines)

    def __enter__(self) -> TrainDisplay:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def on_step(self, step: int, values: dict[str, float]) -> None:
        """Show this step's losses."""
        speed = self._progress.tasks[self._task].speed
        self._progress.update(
            self._task,
            completed=step,
            speed_text=self._rate(step, speed) if speed else "",
            losses=self._numbers(values),
        )
        for line in self.run.log.lines[self._lines :]:
            if not self.console.is_terminal:
                rate = self._rate(int(line["step"]), line["steps_per_second"])
                self.say(f"step {line['step']} of {self._steps}, {rate}: {self._numbers(line)}")
            self._lines += 1

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        say(self.console, text)

    def _rate(self, step: int, per_second: float) -> str:
        left = (self._steps - step) / max(per_second, 1e-9)
        samples = per_second * self.run.trainer.options.batch_size
        return f"{per_second:.2f} steps/s, {samples:.1f} samples/s, {duration(left)} left"

    def _numbers(self, values: dict[str, float]) -> str:
        parts = [f"{name} {values[name]:.3f}" for name in SHOWN if name in values]
        scores = self.run.progress.scores
        if scores:
            # A score that is not a number is no best one.
            best = min((s["total"] for s in scores if math.isfinite(s["total"])), default=math.nan)
            parts.append(f"| validation {scores[-1]['total']:.3f}, best {best:.3f}")
        return " ".join(parts)
