"""The lines of manifest.jsonl: what became of a job, and how its picture was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .jobs import QueueJob


@dataclass
class Submission:
    """A job that a server has, and since when."""

    job: QueueJob
    digest: str
    hashes: tuple[str, ...]
    submitted: float
    ran: bool = False
    bad_answers: int = 0
    not_before: float = 0.0


def failed_line(job: QueueJob, reason: str, prompt_id: str | None, server: str) -> dict[str, Any]:
    """The line of a job that failed for good."""
    return {
        "job": job.name,
        "status": "failed",
        "error": reason,
        **_pictures(job),
        "prompt_id": prompt_id,
        "server": server,
        "finished": now(),
    }


def done_line(submission: Submission, files: Sequence[str], seconds: float) -> dict[str, Any]:
    """The beginning of the line of a job that is done: its results and what they were made from."""
    return {
        "job": submission.job.name,
        "status": "done",
        "files": list(files),
        "seconds": seconds,
        **_pictures(submission.job),
        "sha256": list(submission.hashes),
        "digest": submission.digest,
    }


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _pictures(job: QueueJob) -> dict[str, str | None]:
    return {"content": str(job.content), "style": None if job.style is None else str(job.style)}
