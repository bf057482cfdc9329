"""Keeping one server busy: submit jobs, watch them, fetch their pictures, survive its restarts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...base.excerpt import excerpt
from ...base.files import sha256_of
from ..errors import CommandError
from .answers import BadAnswerError, GoneError, RefusedError, RejectedError, ServerDownError
from .display import QueueDisplay
from .history import error_of, saved_pictures, seconds_taken
from .jobs import PromptTemplate, QueueJob
from .manifest import Results, UnwritableError, unwritable
from .media import ending_of
from .pool import Pool
from .record import Submission, done_line, failed_line, now
from .server import ComfyServer
from .uploads import Uploads

# A server gets this many prompts: one that runs and one that waits, so that it is never idle.
DEPTH = 2
POLL_SECONDS = 1.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0
SHORTEST_POLL = 0.05
_LONGEST_REASON = 500


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
class ServerWorker:
    """One server's part of the run."""

    server: ComfyServer
    shared: Shared
    load: int = 0
    down_since: float | None = None
    held: dict[str, Submission] = field(default_factory=dict)
    # It cannot paint this workflow.
    retired: bool = False
    _answered: bool = False
    _rest_until: float = 0.0
    _given_away: set[str] = field(default_factory=set)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._uploads = Uploads(self.server)

    @property
    def has_room(self) -> bool:
        may_work = self._answered and not self.retired and time.monotonic() >= self._rest_until
        return may_work and len(self.held) < DEPTH

    def wake(self) -> None:
        self._woken.set()

    async def work(self) -> None:
        """Until all jobs have ended. Raises CommandError if the run cannot go on."""
        listener = asyncio.create_task(self.server.listen(self._hear))
        wait = FIRST_WAIT
        try:
            while not self.shared.pool.ended.is_set() and (self.held or not self.retired):
                try:
                    await self._step()
                    self.down_since, wait = None, FIRST_WAIT
                    await asyncio.sleep(SHORTEST_POLL)  # events may come in floods
                    await self._sleep(POLL_SECONDS)
                except ServerDownError as error:
                    self._went_down(error)
                    await self._sleep(wait)
                    wait = min(2 * wait, LONGEST_WAIT)
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
        self._answered = True
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
            names = [
                await self._uploads.name_of(path, sha) for path, sha in zip(job.pictures, hashes, strict=True)
            ]
            prompt = self.shared.template.prompt(job, names, self.shared.pool.attempt(job))
            accepted = await self.server.submit(prompt, prompt_id)
            if accepted != prompt_id:  # a server before ComfyUI 0.3.46
                self.held[accepted] = self.held.pop(prompt_id)
        except OSError as error:
            self.held.pop(prompt_id, None)
            option = "--content" if error.filename == os.fspath(job.content) else "--style"
            self._fail(job, f"{option}: {error.filename} cannot be read: {error.strerror}")
        except RejectedError as error:
            del self.held[prompt_id]
            self._lose(job, str(error), self, again=False)
        except BadAnswerError as error:
            # The prompt may have reached the server behind a proxy that then gave up.
            del self.held[prompt_id]
            self._given_away.add(prompt_id)
            self._lose_and_rest(job, str(error))
        except RefusedError as error:
            del self.held[prompt_id]
            self._refused(job, error)

    def _refused(self, job: QueueJob, error: RefusedError) -> None:
        template = self.shared.template
        slots = {template.content[0], (template.style or template.content)[0]}
        if not error.nodes <= slots or not error.nodes:
            self._retire(job, f"{self.server.name} refuses the workflow: {self._said(str(error))}")
            return
        # The uploaded picture is gone: somebody emptied the input folder.
        self._uploads.forget()
        self._lose(job, f"the server refuses its pictures: {error}", self)

    def _retire(self, job: QueueJob, reason: str) -> None:
        """The server cannot paint this workflow, perhaps for want of a pack: the others go on without it."""
        pool = self.shared.pool
        if not pool.retire(self):
            raise CommandError(f"{reason}.")
        self.retired = True
        self.shared.display.server_is_out(self.server.name, reason)
        pool.give_back(job)

    async def _collect(self, prompt_id: str) -> None:
        submission = self.held[prompt_id]
        job = submission.job
        if time.monotonic() < submission.not_before:
            return
        # What the server says of it, and its result.
        try:
            entry = await self.server.history(prompt_id)
            if entry is None:
                self._vanished(prompt_id)
                return
            error, pictures = error_of(entry), saved_pictures(entry)
            if error or not pictures:
                del self.held[prompt_id]
                self._fail(job, error or "the workflow saved no picture", prompt_id)
                return
            # Write the picture first, then the line about it: a job is done when its picture is there.
            files = await self._download(job, pictures)
        except GoneError as gone:
            del self.held[prompt_id]
            self._lose(job, f"the server does not have its result {excerpt(str(gone))} any more", self)
            return
        except RejectedError as rejected:
            del self.held[prompt_id]
            self._lose(job, str(rejected), self, again=False)
            return
        except UnwritableError as unwritten:
            del self.held[prompt_id]
            self._fail(job, str(unwritten), prompt_id)
            return
        except BadAnswerError as bad:
            self._ask_again(prompt_id, str(bad))
            return
        except ServerDownError as down:
            self._ask_again(prompt_id, str(down))
            raise
        self._finish(prompt_id, entry, files)

    def _finish(self, prompt_id: str, entry: Mapping[str, Any], files: list[str]) -> None:
        """The job's pictures are there: record it, with what the server's history says of it."""
        submission = self.held[prompt_id]
        job = submission.job
        seconds = seconds_taken(entry)
        if seconds is None:
            seconds = round(time.monotonic() - submission.submitted, 3)
        self.shared.results.record(
            {
                **done_line(submission, files, seconds),
                **self.shared.facts,
                "prompt_id": prompt_id,
                "server": self.server.address.url,
                "attempt": self.shared.pool.attempt(job),
                "finished": now(),
            }
        )
        del self.held[prompt_id]
        self.shared.pool.finish(job)
        self.shared.display.job_done(self.server.name, self.shared.results.folder / files[0])

    def _vanished(self, prompt_id: str) -> None:
        """The server restarted, or its queue was cleared."""
        submission = self.held.pop(prompt_id)
        if submission.ran:
            self._lose(submission.job, "the server stopped while it painted this")
        elif final := self.shared.pool.vanish(submission.job, self):
            self._report(submission.job, final)

    def _ask_again(self, prompt_id: str, reason: str) -> None:
        """The answer about a prompt is no good: ask again later, in the end another server."""
        submission = self.held[prompt_id]
        submission.bad_answers += 1
        if submission.bad_answers <= self.shared.pool.retries:
            submission.not_before = time.monotonic() + _wait(submission.bad_answers)
            return
        del self.held[prompt_id]
        times = f", {submission.bad_answers} times" if submission.bad_answers > 1 else ""
        self._lose(submission.job, f"{reason}{times}", self, again=False)

    async def _download(self, job: QueueJob, pictures: list[Mapping[str, str]]) -> list[str]:
        results, files = self.shared.results, []
        # Write the first one last: when it is there, all are there.
        for number, picture in reversed(list(enumerate(pictures, 1))):
            try:
                with results.part(job.name, number) as part:
                    declared = await self.server.download(picture, part)
                    ending = await asyncio.to_thread(ending_of, part, picture["filename"], declared)
                    files.append(results.publish(part, job.name, number, ending))
            except OSError as error:
                path = error.filename2 or error.filename or results.folder
                raise unwritable(Path(path), error) from error
        return files[::-1]

    def _lose(
        self, job: QueueJob, reason: str, blamed: ServerWorker | None = None, again: bool = True
    ) -> None:
        if final := self.shared.pool.lose(job, reason, blamed, again):
            self._report(job, final)

    def _lose_and_rest(self, job: QueueJob, reason: str) -> None:
        """The server did not take the job: let it alone for a while, longer each time."""
        wait = _wait(self.shared.pool.attempt(job))
        self._rest_until = time.monotonic() + wait
        self._lose(job, reason, self)

    def _fail(self, job: QueueJob, reason: str, prompt_id: str | None = None) -> None:
        self.shared.pool.fail(job, reason)
        self._report(job, reason, prompt_id)

    def _said(self, reason: str) -> str:
        """What the server may have said: on one line, not endless, without the password."""
        return self.server.address.without_secrets(excerpt(reason, _LONGEST_REASON))

    def _report(self, job: QueueJob, reason: str, prompt_id: str | None = None) -> None:
        reason = self._said(reason)
        self.shared.results.record(failed_line(job, reason, prompt_id, self.server.address.url))
        self.shared.display.job_failed(job.name, reason)

    def _went_down(self, error: ServerDownError) -> None:
        now = time.monotonic()
        if self.down_since is None:
            self.down_since = now
        self._uploads.forget()
        self.shared.display.server_is_down(self.server.name, self._said(str(error)))
        if self.held and self.shared.pool.is_away(self) and self.shared.pool.anyone_up:
            # If the server only seemed to be away, it must drop them when it is back.
            self._given_away |= self.held.keys()
            for submission in self.held.values():
                self.shared.pool.give_back(submission.job)
            self.held.clear()
        if self.shared.pool.all_down_for() > self.shared.patience:
            raise CommandError(
                f"no server has answered for {self.shared.patience:.0f} s, last: {self._said(str(error))}."
            )

    async def _sleep(self, seconds: float) -> None:
        """Wait until something happens, or this many seconds."""
        alarm = asyncio.get_running_loop().call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            alarm.cancel()
        self._woken.clear()

    def _hear(self, kind: str, data: Mapping[str, Any]) -> None:
        """An event; its data may have any shape."""
        if kind == "status" or kind.startswith("execution_"):
            self.wake()
        id_, node = data.get("prompt_id"), data.get("node")
        submission = self.held.get(id_) if isinstance(id_, str) else None
        if submission is None:
            return
        if kind in ("execution_start", "executing"):
            submission.ran = True
        title = self.shared.template.title(node) if isinstance(node, str) and node else ""
        if kind == "executing" and title:
            self.shared.display.step(self.server.name, submission.job.name, title)
        elif kind == "progress":
            step = f"{title} {_number(data.get('value'))}/{_number(data.get('max'))}"
            self.shared.display.step(self.server.name, submission.job.name, step)


def _wait(attempt: int) -> float:
    """Seconds before the next attempt: twice as many each time."""
    return float(min(FIRST_WAIT * 2 ** min(attempt - 1, 10), LONGEST_WAIT))


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) and abs(value) < 10**9 else "?"
