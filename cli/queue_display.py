"""What `brushwork queue` shows while it runs: a bar in all, and a line per server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Display:
    """Progress on standard error if that is a terminal; each picture's file name on standard output."""

    def __init__(self, servers: Sequence[str], total: int):
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[state]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._progress.add_task("all", total=total, state="")
        self._servers: dict[str, TaskID] = {
            name: self._progress.add_task(name, total=total, state="starting") for name in servers
        }

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def server_is_up(self, server: str, load: int) -> None:
        """The server answers and has `load` prompts, ours and others'."""
        if load == 0:
            self._progress.update(self._servers[server], state="idle")

    def server_is_down(self, server: str, reason: str) -> None:
        self._progress.update(self._servers[server], state=f"does not answer ({reason}), trying again")

    def step(self, server: str, job: str, step: str) -> None:
        """The server is at a node, or at a step of it."""
        self._progress.update(self._servers[server], state=f"{job}: {step}")

    def job_done(self, server: str, file: Path) -> None:
        self._progress.advance(self._servers[server])
        self._progress.advance(self._all)
        print(file, flush=True)

    def job_failed(self, job: str, reason: str) -> None:
        self._progress.advance(self._all)
        print(f"failed: {job}: {reason}", file=sys.stderr, flush=True)
