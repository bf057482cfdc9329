"""The error of a command that cannot go on."""

from __future__ import annotations


class CommandError(Exception):
    """One sentence for the user: what is wrong, with which value, what to do. Exit code 2."""
