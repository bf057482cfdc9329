"""What `brushwork queue` shows while it runs: a bar in all, and a line per server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ...base.excerpt import excerpt
from ..terminal import tell

_BAR_WIDTH = 20


class QueueDisplay:
    """Progress on standard error if that is a terminal; each picture's file name on standard output."""

    def __init__(self, servers: Sequence[str], total: int):
        console = Console(stderr=True)
        name, bar = TextColumn("{task.description}", markup=False), BarColumn(_BAR_WIDTH)
        count = MofNCompleteColumn()
        state = TextColumn("{task.fields[state]}", markup=False)
        self._total = Progress(name, bar, count, TimeRemainingColumn(compact=True))
        self._servers = Progress(name, bar, count, state)
        width = max(map(len, ["all", *servers]))
        self._all = self._total.add_task("all".ljust(width), total=total)
        self._tasks = {
            server: self._servers.add_task(server.ljust(width), total=total, state="starting")
            for server in servers
        }
        self._live = Live(Group(self._total, self._servers), console=console, transient=True)
        self._shown = console.is_terminal

    def __enter__(self) -> QueueDisplay:
        if self._shown:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def server_is_up(self, server: str, load: int) -> None:
        """The server answers and has `load` prompts, those of other clients too."""
        if load == 0:
            self._servers.update(self._tasks[server], state="idle")

    def server_is_down(self, server: str, reason: str) -> None:
        self._servers.update(self._tasks[server], state=f"does not answer ({reason}), trying again")

    def step(self, server: str, job: str, step: str) -> None:
        """The server is at a node, or at a step of it."""
        self._servers.update(self._tasks[server], state=f"{excerpt(step)}: {excerpt(job)}")

    def server_is_out(self, server: str, reason: str) -> None:
        """The server gets no more jobs of this run."""
        self._servers.update(self._tasks[server], state="gets no more of this")
        print(f"{reason}; the other servers go on without it.", file=sys.stderr, flush=True)

    def job_done(self, server: str, file: Path) -> None:
        self._servers.advance(self._tasks[server])
        self._total.advance(self._all)
        tell(str(file))

    def job_failed(self, job: str, reason: str) -> None:
        self._total.advance(self._all)
        print(f"failed: {excerpt(job, 300)}: {reason}", file=sys.stderr, flush=True)
