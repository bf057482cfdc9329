"""The error of a command that cannot go on."""

from __future__ import annotations

from ..base.excerpt import excerpt


class CommandError(Exception):
    """One sentence for the user: what is wrong, with which value, what to do. Exit code 2."""


def system_sentence(error: OSError) -> str:
    """One sentence on a path that the system does not give, such as a closed folder or too long a name."""
    reason = error.strerror or excerpt(str(error), 200) or type(error).__name__
    if error.filename is None:
        return f"{reason}."
    return (
        f"{excerpt(str(error.filename), 300)} cannot be used: {reason}; name another one, or mend this one."
    )
