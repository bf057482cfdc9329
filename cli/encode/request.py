"""What the user asks of `brushwork encode`, typed: all that travels further than the parser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class EncodeRequest:
    """The arguments of one `brushwork encode`; None is what was not given."""

    out: Path
    pictures: tuple[str, ...] = ()
    mix: bool = False
    name: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    """Of each of `TEXTS`; empty where it was not given."""
    overwrite: bool = False
    checkpoint: Path | None = None
    catalogue: Path | None = None
    pictures_dirs: tuple[Path, ...] = ()
    """Where the catalogue's pictures are, beside its own folder."""
