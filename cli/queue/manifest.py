"""The results of `brushwork queue`: pictures, and a line about each of them in manifest.jsonl."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

MANIFEST = "manifest.jsonl"


class Results:
    """The folder of results. A job is done when its picture is there; the manifest says how it was made."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._manifest = folder / MANIFEST
        self._finished = {path.stem for path in folder.glob("*") if path.name[0] != "." and path.is_file()}
        self._digests = self._read()

    def has(self, job_name: str) -> bool:
        """Whether the job's picture is there."""
        return job_name in self._finished

    def digest(self, job_name: str) -> str | None:
        """The digest of the picture's inputs and settings, if the manifest knows it."""
        return self._digests.get(job_name)

    def record(self, line: dict[str, Any]) -> None:
        """Append one line, on disk when this returns."""
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        with self._manifest.open("ab+") as file:
            # A line that a crash cut short must not swallow this one.
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> dict[str, str]:
        digests = {}
        if self._manifest.is_file():
            with self._manifest.open("rb") as file:
                for text in file:
                    try:
                        line = json.loads(text)
                        if line["status"] == "done":
                            digests[line["job"]] = line["digest"]
                    except (ValueError, KeyError, TypeError):
                        continue  # cut short by a crash
        return digests


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
    return digest.hexdigest()
