"""The error of a command that cannot go on."""

from __future__ import annotations

import errno

from ..base.excerpt import excerpt

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


class CommandError(Exception):
    """One sentence for the user: what is wrong, with which value, what to do. Exit code 2."""


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
