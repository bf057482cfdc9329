"""The error of a command that cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class CommandError(Exception):
    """One sentence for the user: what is wrong, with which value, what to do. Exit code 2."""


@contextmanager
def of_option(option: str | None, kind: type[Exception] = ValueError) -> Iterator[None]:
    """Within this context an error of this `kind`, one sentence on a file, becomes a CommandError that also
    names the `option` which gave the file; None: no option did, and the error stays as it is."""
    try:
        yield
    except kind as error:
        if option is None:
            raise
        raise CommandError(f"{option}: {error}") from error
