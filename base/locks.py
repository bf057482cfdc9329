"""Locks of the operating system on files. They end with the process that holds them, however it ends."""

from __future__ import annotations

import errno
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from .excerpt import excerpt
from .system_errors import check_file_or_free

# As a variable, since type checkers take the other systems' lines for dead code.
_SYSTEM: str = sys.platform

# A byte far behind the end of every file: on Windows nobody else can read what is locked.
_PLACE = 2**30
_HELD = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
_LONGEST_NOTE = 200


class HeldError(Exception):
    """Another process, or another part of this one, holds the lock; the text is its note."""


def this_process() -> str:
    """A note on who holds a lock: the number of this process, the machine, and the time."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return f"process {os.getpid()} on {platform.node()} since {now}"


def lock(file: IO[bytes]) -> bool:
    """Lock an open file until it is closed, without waiting; False if others hold it.

    Raises OSError if the file system has no locks, as some network drives.
    """
    try:
        if _SYSTEM == "win32":
            import msvcrt

            before = file.tell()
            file.seek(_PLACE)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            finally:
                file.seek(before)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


@contextmanager
def held(path: Path, note: str | None = None) -> Iterator[None]:
    """Hold the lock `path` within this context: a small file with `note`, which says who holds it.

    Without a note it is `this_process`. Where the file system has no locks, nothing is held. Raises HeldError
    with the holder's note, NoFileError if a folder or a pipe has the name, or OSError if the file cannot be
    written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # what the system says of a file in the folder's place misleads
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path)) from error
    with _opened(path) as file:
        try:
            file.write((note or this_process()).encode())
            file.truncate()
            file.flush()
            yield
        finally:
            if _SYSTEM != "win32":
                path.unlink(missing_ok=True)
    if _SYSTEM == "win32":  # where an open file cannot be removed: somebody may hold it by now
        with suppress(OSError):
            path.unlink()


def check_not_held(path: Path) -> None:
    """Raise HeldError with the holder's note if others hold the lock `path`, or NoFileError if a folder or a
    pipe has the name; it writes nothing, and what it cannot read counts as not held."""
    check_file_or_free(path)
    with suppress(OSError), path.open("rb") as file:
        if not _lock_if_possible(file):
            raise HeldError(_note(file))


def _opened(path: Path) -> IO[bytes]:
    """The lock file, locked. Raises HeldError if others hold it."""
    while True:
        check_file_or_free(path)
        # Not emptied when it is opened: the note in it may be that of the holder.
        file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")  # noqa: SIM115  # it stays open
        try:
            if not _lock_if_possible(file):
                raise HeldError(_note(file))
            # Did the last holder remove it between the two lines above?
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        except FileNotFoundError:
            pass
        except BaseException:
            file.close()
            raise
        file.close()


def _note(file: IO[bytes]) -> str:
    # Its holder may be about to write it.
    note = excerpt(file.read(_LONGEST_NOTE).decode(errors="replace"), _LONGEST_NOTE)
    return note or "a process that has just begun"


def _lock_if_possible(file: IO[bytes]) -> bool:
    try:
        return lock(file)
    except OSError:
        return True
