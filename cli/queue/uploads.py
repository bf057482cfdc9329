"""The pictures that a server has got, by their content: each is sent once."""

from __future__ import annotations

from pathlib import Path

from ...base.excerpt import excerpt
from .answers import RejectedError
from .server import ComfyServer


class Uploads:
    """What one server has, and what it did not take."""

    def __init__(self, server: ComfyServer):
        self._server = server
        # By SHA-256: the names on the server, and why it rejected others.
        self._names: dict[str, str] = {}
        self._rejected: dict[str, str] = {}

    async def name_of(self, path: Path, sha256: str) -> str:
        """The picture's name for LoadImage; sends it if the server has not got it. Raises RejectedError."""
        if sha256 in self._rejected:
            raise RejectedError(self._rejected[sha256])
        if sha256 not in self._names:
            try:
                self._names[sha256] = await self._server.upload(path, sha256)
            except RejectedError as error:
                # The other jobs with this picture need not send it again.
                self._rejected[sha256] = f"{excerpt(path.name)}: {error}"
                raise RejectedError(self._rejected[sha256]) from error
        return self._names[sha256]

    def forget(self) -> None:
        """The server may have lost them: send them again."""
        self._names.clear()
