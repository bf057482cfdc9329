"""The owner of a run's folder: one training at a time, even from several programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...base.locks import HeldError, check_not_held, held
from ..trainer import TrainingError
from .files import LOCK_FILE


class OwnedError(TrainingError):
    """Another training runs in the folder; the message is one sentence for the user."""


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Own the run in `folder` within this context; the folder is made if needed.

    The lock in it ends with this process, however it ends. Raises OwnedError while another training lives.
    """
    try:
        with held(folder / LOCK_FILE):
            yield
    except HeldError as error:
        raise _owned_by(error, folder) from error


def check_not_owned(folder: Path) -> None:
    """Raise OwnedError while another training of the run in `folder` lives; it writes nothing."""
    try:
        check_not_held(folder / LOCK_FILE)
    except HeldError as error:
        raise _owned_by(error, folder) from error


def _owned_by(error: HeldError, folder: Path) -> OwnedError:
    return OwnedError(
        f"The run in {folder} is being trained by {error}; wait until it has ended, "
        "or begin another run under another name."
    )
