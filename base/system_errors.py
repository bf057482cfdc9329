"""What the system says of a path that it does not give, as one sentence for the user."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

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


def remedy(error: OSError, otherwise: str) -> str:
    """What helps when the system does not give a file, as a part of a sentence."""
    return _ADVICE.get(error.errno or 0, otherwise)


def system_sentence(error: OSError) -> str:
    """One sentence on a path that the system does not give, such as a closed folder or too long a name."""
    reason = error.strerror or excerpt(str(error), 200) or type(error).__name__
    if error.filename is None:
        return f"{reason}."
    advice = remedy(error, "name another one, or mend this one")
    return f"{excerpt(str(error.filename), 300)} cannot be used: {reason}; {advice}."


@contextmanager
def errors_name(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an OSError that names no file name `path`: that of a write does not, such as on a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise
