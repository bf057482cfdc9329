"""The pool of jobs: which wait, which are done, and which server gets the next one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from .jobs import QueueJob

# A server may be away this many seconds before others get its jobs; a busy moment is not a crash.
GRACE_SECONDS = 10.0
# A server may lose a job so often before it has begun with it, and be told it again.
_VANISHES = 3


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
        self._vanished: dict[str, int] = {}
        # The workers, by id(), on whose server a job went wrong.
        self._went_wrong: dict[str, set[int]] = {}
        self._end_if_over()

    def take(self, worker: Taker) -> QueueJob | None:
        """The next job for `worker`; None if there is none, or another server with room has less to do.

        A server does not get a job again that went wrong there while another one could try it.
        """
        for job in self.waiting:
            if self._is_for(worker, job):
                self.waiting.remove(job)
                return job
            if job.name not in self._went_wrong:
                break  # the answer is the same for all jobs that no server has had
        return None

    def _is_for(self, worker: Taker, job: QueueJob) -> bool:
        others = self._others(worker, job)
        if others and id(worker) in self._went_wrong.get(job.name, ()):
            return False
        return not any(w.down_since is None and w.has_room and w.load < worker.load for w in others)

    def _others(self, worker: Taker | None, job: QueueJob) -> list[Taker]:
        """The other servers that are not away and on which the job has not gone wrong."""
        tried = self._went_wrong.get(job.name, ())
        return [w for w in self.workers if w is not worker and id(w) not in tried and not self.is_away(w)]

    def is_away(self, worker: Taker) -> bool:
        """Whether its server has not answered for longer than a busy moment."""
        return worker.down_since is not None and time.monotonic() - worker.down_since > GRACE_SECONDS

    def attempt(self, job: QueueJob) -> int:
        """The number of the job's present attempt, from 1."""
        return self._attempts.get(job.name, 0) + 1

    def give_back(self, job: QueueJob) -> None:
        """The job's server went away, which is not the job's fault: the next server with room gets it."""
        self.waiting.appendleft(job)
        for worker in self.workers:
            worker.wake()

    def lose(self, job: QueueJob, reason: str, worker: Taker | None = None, again: bool = True) -> str | None:
        """The job was lost while it was being painted: try again, or fail after too many attempts.

        If it was the fault of its server, `worker`, every other server may try it as well. Without `again`
        this server is not asked again.
        Returns why it failed for good; None if it will be tried again.
        """
        attempts = self._attempts[job.name] = self.attempt(job)
        if worker is not None:
            self._went_wrong.setdefault(job.name, set()).add(id(worker))
        others = worker is not None and bool(self._others(worker, job))
        if others or (again and attempts <= self.retries):
            self.give_back(job)
            return None
        final = f"{reason}, {attempts} times" if again and attempts > 1 else reason
        self.fail(job, final)
        return final

    def vanish(self, job: QueueJob, worker: Taker) -> str | None:
        """The job's server no longer knows it, and has not begun to paint it: a restart, a cleared queue.

        Not an attempt the first few times. Returns why it failed for good; None if it will be tried again.
        """
        times = self._vanished[job.name] = self._vanished.get(job.name, 0) + 1
        if times <= max(self.retries, _VANISHES):
            self.give_back(job)
            return None
        return self.lose(job, "the server accepts it and then does not know it", worker)

    def finish(self, job: QueueJob) -> None:
        self._forget(job)
        self.done += 1
        self._end_if_over()

    def fail(self, job: QueueJob, reason: str) -> None:
        self._forget(job)
        self.failed[job.name] = reason
        self._end_if_over()

    def retire(self, worker: Taker) -> bool:
        """Give `worker` no more jobs. Returns whether other servers are left."""
        self.workers = [other for other in self.workers if other is not worker]
        return bool(self.workers)

    @property
    def anyone_up(self) -> bool:
        return any(worker.down_since is None for worker in self.workers)

    def all_down_for(self) -> float:
        """Seconds since the last server went away; 0 while one is up."""
        since = [worker.down_since for worker in self.workers if worker.down_since is not None]
        if not since or len(since) < len(self.workers):
            return 0.0
        return time.monotonic() - max(since)

    def _forget(self, job: QueueJob) -> None:
        self._attempts.pop(job.name, None)
        self._vanished.pop(job.name, None)
        self._went_wrong.pop(job.name, None)

    def _end_if_over(self) -> None:
        if self.done + len(self.failed) == self.total:
            self.ended.set()
            for worker in self.workers:
                worker.wake()
