"""Errors of painting many files and films, and of refining."""

from __future__ import annotations


class WriteError(RuntimeError):
    """A result cannot be written; the message is one sentence for the user."""


class EngineError(RuntimeError):
    """The processes or machines cannot paint together; the message is one sentence for the user."""


class FilmError(ValueError):
    """A film cannot be read or written; the message is one sentence for the user."""


class RefineError(RuntimeError):
    """Refining cannot go on; the message is one sentence for the user."""
