"""What the user asks of `brushwork queue`, typed: all that travels further than the parser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_SERVER = "http://127.0.0.1:8188"


@dataclass(frozen=True)
class QueueRequest:
    """The arguments of one `brushwork queue`; None is what was not given."""

    workflow: str
    content: tuple[str, ...]
    out: Path
    style: tuple[str, ...] = ()
    """Empty: the workflow's own."""
    pairs: str = "cross"
    settings: tuple[str, ...] = ()
    """Of inputs of the workflow, each 'node.input=value'."""
    servers: tuple[str, ...] = (DEFAULT_SERVER,)
    content_node: str | None = None
    style_node: str | None = None
    retries: int = 3
    patience: float = 300.0
    """Seconds without any server."""
    transfer_timeout: float = 600.0
    """Seconds of one upload or download."""
    max_download_size: float = 2000.0
    """In MB."""
    overwrite: bool = False
