"""Short names for everything that decides a result, so that results are remembered while they hold."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType


def fingerprint(*parts: str | Path | Callable[..., object] | ModuleType) -> str:
    """16 hexadecimal digits that change with any of `parts`.

    The bytes of a file count, and the source of a function, a class or a module.

    >>> fingerprint("a", "b") == fingerprint("a", "b") != fingerprint("ab")
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            digest.update(_file_digest(part, part.stat().st_mtime_ns))
        else:
            text = part if isinstance(part, str) else inspect.getsource(part)
            digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()[:16]


@cache
def _file_digest(path: Path, _changed: int) -> bytes:
    """Cached, because the same photos and paintings belong to hundreds of pairs."""
    return hashlib.sha256(path.read_bytes()).digest()
