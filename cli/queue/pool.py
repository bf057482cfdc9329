"""The pool of jobs: which wait, which are done, and which server gets the next one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from .jobs import QueueJob


class Taker(Protocol):
    """The facts about a server's worker that the pool needs."""

    down_since: float | None
    load: int

    @property
    def has_room(self) -> bool: ...

    def wake(self) -> None: ...


class Pool:
    """All jobs of a run. Each is with one worker at most, and ends as done or failed, once."""

    def __init__(self, jobs: Sequence[QueueJob], retries: int):
        self.waiting = deque(jobs)
        self.retries = retries
        self.total = len(jobs)
        self.done = 0
        self.failed: dict[str, str] = {}
        """The names of the jobs that failed, and the reasons."""
        self.workers: list[Taker] = []
        self.ended = asyncio.Event()
        self._attempts: dict[str, int] = {}
        self._end_if_over()

    def take(self, worker: Taker) -> QueueJob | None:
        """The next job for `worker`; None if there is none, or another server with room has less to do."""
        idler = any(w.down_since is None and w.has_room and w.load < worker.load for w in self.workers)
        return None if idler or not self.waiting else self.waiting.popleft()

    def attempt(self, job: QueueJob) -> int:
        """The number of the job's present attempt, from 1."""
        return self._attempts.get(job.name, 0) + 1

    def give_back(self, job: QueueJob) -> None:
        """The job's server went away, which is not the job's fault: the next server with room gets it."""
        self.waiting.appendleft(job)
        for worker in self.workers:
            worker.wake()

    def lose(self, job: QueueJob, reason: str) -> str | None:
        """The job was lost while it was being painted: try again, or fail after too many attempts.

        Returns why it failed for good; None if it will be tried again.
        """
        attempts = self._attempts[job.name] = self.attempt(job)
        if attempts <= self.retries:
            self.give_back(job)
            return None
        final = f"{reason}, {attempts} times"
        self.fail(job, final)
        return final

    def finish(self, job: QueueJob) -> None:
        self._attempts.pop(job.name, None)
        self.done += 1
        self._end_if_over()

    def fail(self, job: QueueJob, reason: str) -> None:
        self._attempts.pop(job.name, None)
        self.failed[job.name] = reason
        self._end_if_over()

    @property
    def anyone_up(self) -> bool:
        return any(worker.down_since is None for worker in self.workers)

    def all_down_for(self) -> float:
        """Seconds since the last server went away; 0 while one is up."""
        since = [worker.down_since for worker in self.workers if worker.down_since is not None]
        if not since or len(since) < len(self.workers):
            return 0.0
        return time.monotonic() - max(since)

    def _end_if_over(self) -> None:
        if self.done + len(self.failed) == self.total:
            self.ended.set()
            for worker in self.workers:
                worker.wake()
