"""Keeping one server busy: submit jobs, watch them, fetch their pictures, survive its restarts."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import CommandError
from .display import QueueDisplay
from .history import error_of, saved_pictures, seconds_taken
from .jobs import PromptTemplate, QueueJob
from .manifest import Results, sha256_of
from .pool import Pool
from .server import ComfyServer, GoneError, RefusedError, ServerDownError

# A server gets so many prompts: one that runs and one that waits, so that it is never idle.
DEPTH = 2
POLL_SECONDS = 1.0
# A server may be away so many seconds before others get its jobs; a busy moment is not a crash.
GRACE_SECONDS = 10.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0


@dataclass
class Submission:
    """A job that a server has, and since when."""

    job: QueueJob
    digest: str
    hashes: tuple[str, ...]
    submitted: float
    ran: bool = False


@dataclass
class Shared:
    """The data that all workers share."""

    template: PromptTemplate
    pool: Pool
    results: Results
    display: QueueDisplay
    facts: Mapping[str, Any]
    patience: float


@dataclass
class Worker:
    """One server's part of the run."""

    server: ComfyServer
    shared: Shared
    load: int = 0
    # Away until it answers for the first time.
    down_since: float | None = field(default_factory=time.monotonic)
    held: dict[str, Submission] = field(default_factory=dict)
    _given_away: set[str] = field(default_factory=set)
    _uploaded: dict[str, str] = field(default_factory=dict)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_room(self) -> bool:
        return len(self.held) < DEPTH

    def wake(self) -> None:
        self._woken.set()

    async def work(self) -> None:
        """Until all jobs have ended. Raises CommandError if the run cannot go on."""
        listener = asyncio.create_task(self.server.listen(self._hear))
        wait = _FIRST_WAIT
        try:
            while not self.shared.pool.ended.is_set():
                try:
                    await self._step()
                    self.down_since, wait = None, _FIRST_WAIT
                    await self._sleep(POLL_SECONDS)
                except ServerDownError as error:
                    self._went_down(error)
                    await self._sleep(wait)
                    wait = min(2 * wait, _LONGEST_WAIT)
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener

    async def cancel(self) -> None:
        """Take this run's prompts, and no others, off the server."""
        if self.held or self._given_away:
            await self.server.cancel({*self.held, *self._given_away})

    async def _step(self) -> None:
        running, pending = await self.server.queue()
        known = {*running, *pending}
        if stale := self._given_away & known:
            await self.server.cancel(stale)
        self._given_away.clear()
        for id_ in running:
            if id_ in self.held:
                self.held[id_].ran = True
        for id_ in [id_ for id_ in self.held if id_ not in known]:
            await self._collect(id_)
        # What waits beside the prompts that were collected just now.
        self.load = len(known)
        self.shared.display.server_is_up(self.server.name, self.load)
        while self.has_room and (job := self.shared.pool.take(self)):
            await self._submit(job)

    async def _submit(self, job: QueueJob) -> None:
        prompt_id = str(uuid.uuid4())
        try:
            hashes = tuple(sha256_of(path) for path in job.pictures)
            # Hold the job before it is sent: if the answer is lost, the server's queue still knows it.
            digest = self.shared.template.digest(hashes)
            self.held[prompt_id] = Submission(job, digest, hashes, time.monotonic())
            self.load += 1
            names = [await self._upload(path, sha) for path, sha in zip(job.pictures, hashes, strict=True)]
            prompt = self.shared.template.prompt(job, names, self.shared.pool.attempt(job))
            await self.server.submit(prompt, prompt_id)
        except OSError as error:
            self.held.pop(prompt_id, None)
            self._fail(job, f"{error.filename} cannot be read: {error.strerror}")
        except RefusedError as error:
            del self.held[prompt_id]
            self._refused(job, error)

    async def _upload(self, path: Path, sha: str) -> str:
        if sha not in self._uploaded:
            self._uploaded[sha] = await self.server.upload(path, sha)
        return self._uploaded[sha]

    def _refused(self, job: QueueJob, error: RefusedError) -> None:
        template = self.shared.template
        slots = {template.content[0], (template.style or template.content)[0]}
        if not error.nodes <= slots or not error.nodes:
            raise CommandError(f"{self.server.name} refuses the workflow: {error}.")
        # The uploaded picture is gone: somebody emptied the input folder.
        self._uploaded.clear()
        self._lose(job, f"the server refuses its pictures: {error}")

    async def _collect(self, prompt_id: str) -> None:
        entry = await self.server.history(prompt_id)
        submission = self.held[prompt_id]
        job = submission.job
        if entry is None:
            # The server restarted, or its queue was cleared.
            del self.held[prompt_id]
            if submission.ran:
                self._lose(job, "the server stopped while it painted this")
            else:
                self.shared.pool.give_back(job)
            return

        # The server is done with it: did it paint?
        error = error_of(entry)
        pictures = saved_pictures(entry)
        if error or not pictures:
            del self.held[prompt_id]
            self._fail(job, error or "the workflow saved no picture", prompt_id)
            return

        # Write the picture first, then the line about it: a job is done when its picture is there.
        try:
            files = await self._download(job, pictures)
        except GoneError as gone:
            del self.held[prompt_id]
            self._lose(job, f"the server does not have its result {gone} any more")
            return
        seconds = seconds_taken(entry)
        if seconds is None:
            seconds = round(time.monotonic() - submission.submitted, 3)
        self._record(submission, prompt_id, "done", files=files, seconds=seconds)
        del self.held[prompt_id]
        self.shared.pool.finish(job)
        self.shared.display.job_done(self.server.name, self.shared.results.folder / files[0])

    async def _download(self, job: QueueJob, pictures: list[Mapping[str, str]]) -> list[str]:
        files = [
            f"{job.name}{f'~{n}' if n > 1 else ''}{Path(picture['filename']).suffix}"
            for n, picture in enumerate(pictures, 1)
        ]
        # Write the first one last: when it is there, all are there.
        for picture, file in reversed(list(zip(pictures, files, strict=True))):
            await self.server.download(picture, self.shared.results.folder / file)
        return files

    def _lose(self, job: QueueJob, reason: str) -> None:
        if final := self.shared.pool.lose(job, reason):
            self._report(job, final)

    def _fail(self, job: QueueJob, reason: str, prompt_id: str | None = None) -> None:
        self.shared.pool.fail(job, reason)
        self._report(job, reason, prompt_id)

    def _report(self, job: QueueJob, reason: str, prompt_id: str | None = None) -> None:
        self.shared.results.record(
            {
                "job": job.name,
                "status": "failed",
                "error": reason,
                "content": str(job.content),
                "style": None if job.style is None else str(job.style),
                "prompt_id": prompt_id,
                "server": self.server.url,
                "finished": _now(),
            }
        )
        self.shared.display.job_failed(job.name, reason)

    def _record(self, submission: Submission, prompt_id: str, status: str, **more: object) -> None:
        job = submission.job
        self.shared.results.record(
            {
                "job": job.name,
                "status": status,
                **more,
                "content": str(job.content),
                "style": None if job.style is None else str(job.style),
                "sha256": list(submission.hashes),
                "digest": submission.digest,
                **self.shared.facts,
                "prompt_id": prompt_id,
                "server": self.server.url,
                "attempt": self.shared.pool.attempt(job),
                "finished": _now(),
            }
        )

    def _went_down(self, error: ServerDownError) -> None:
        now = time.monotonic()
        if self.down_since is None:
            self.down_since = now
        self._uploaded.clear()
        self.shared.display.server_is_down(self.server.name, str(error))
        if self.held and now - self.down_since > GRACE_SECONDS and self.shared.pool.anyone_up:
            # If the server only seemed to be away, it must drop them when it is back.
            self._given_away |= self.held.keys()
            for submission in self.held.values():
                self.shared.pool.give_back(submission.job)
            self.held.clear()
        if self.shared.pool.all_down_for() > self.shared.patience:
            raise CommandError(f"no server has answered for {self.shared.patience:.0f} s, last: {error}.")

    async def _sleep(self, seconds: float) -> None:
        """Wait until something happens, or so many seconds."""
        alarm = asyncio.get_running_loop().call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            alarm.cancel()
        self._woken.clear()

    def _hear(self, kind: str, data: Mapping[str, Any]) -> None:
        submission = self.held.get(data.get("prompt_id", ""))
        if kind == "status" or kind.startswith("execution_"):
            self.wake()
        if submission is None:
            return
        if kind in ("execution_start", "executing"):
            submission.ran = True
        title = self.shared.template.title(data.get("node") or "")
        if kind == "executing" and title:
            self.shared.display.step(self.server.name, submission.job.name, title)
        elif kind == "progress":
            step = f"{title} {data.get('value')}/{data.get('max')}"
            self.shared.display.step(self.server.name, submission.job.name, step)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
