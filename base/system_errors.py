"""What the system says of a path that it does not give, as one sentence for the user."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .excerpt import excerpt

_ADVICE = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room within your quota",
    errno.EFBIG: "use a disk that takes larger files",
    errno.EROFS: "name another place",
    errno.EACCES: "change the rights of the folder, or name another place",
    errno.EPERM: "change the rights of the folder, or name another place",
    errno.EISDIR: "move that folder away",
    errno.ENAMETOOLONG: "give it a shorter name",
}


# What may have the name of a file. Systems open some of them, and wait or fail in their own ways.
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NoFileError(OSError):
    """Something else has the name of a file."""


def check_file_or_free(path: Path) -> None:
    """Raise NoFileError for a folder, a pipe or a device where Brushwork keeps a file of its own."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    for is_kind, name in _KINDS:
        if is_kind(mode):
            raise NoFileError(errno.EINVAL, f"It is {name} and no file", os.fspath(path))


def remedy(error: OSError, otherwise: str) -> str:
    """What helps when the system does not give a file, as a part of a sentence."""
    if isinstance(error, NoFileError):
        return "move it away"
    return _ADVICE.get(error.errno or 0, otherwise)


def system_sentence(error: OSError) -> str:
    """One sentence on a path that the system does not give, such as a closed folder or too long a name."""
    reason = error.strerror or excerpt(str(error), 200) or type(error).__name__
    if error.filename is None:
        return f"{reason}."
    advice = remedy(error, "name another one, or mend this one")
    return f"{excerpt(str(error.filename), 300)} cannot be used: {reason}; {advice}."


def unreadable(path: object, reason: str | None) -> str:
    """One sentence on a file that the system does not let us read, with its `reason`.

    >>> unreadable("a.png", "Permission denied")
    'a.png cannot be read: Permission denied; name another file, or mend this one.'
    """
    return f"{path} cannot be read: {reason}; name another file, or mend this one."


def write_sentence(path: object, error: OSError) -> str:
    """One sentence on a file that the system does not let us write.

    >>> write_sentence("a.png", OSError(errno.ENOSPC, "No space left on device"))
    'a.png cannot be written: No space left on device; make room on the disk.'
    """
    reason = error.strerror or excerpt(str(error), 200) or type(error).__name__
    return f"{path} cannot be written: {reason}; {remedy(error, 'name another place')}."


@contextmanager
def errors_name(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an OSError that names no file name `path`: that of a write does not, such as on a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise
