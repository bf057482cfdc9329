"""The results of `brushwork queue`: pictures, and a line about each of them in manifest.jsonl."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...base.excerpt import excerpt
from ...base.files import move_into_place
from ...base.locks import HeldError, held
from ...base.system_errors import NoFileError, check_file_or_free, remedy, system_sentence
from ...base.temporary import temporary_file
from ..errors import CommandError
from ..pictures import EarlierResults
from .media import RESULT_ENDINGS

MANIFEST = "manifest.jsonl"
LOCK_FILE = ".brushwork-queue.lock"


# This command writes lines of about one kB, and longer ones where paths are long; never so long.
_LONGEST_LINE = 2**20


class Results:
    """The folder of results. A job is done when its picture is there; the manifest says how it was made.

    Raises CommandError, one sentence, if the folder cannot be read or written.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._manifest = folder / MANIFEST
        with self._in_one_sentence():
            self._finished = {
                path.stem
                for path in folder.iterdir()
                if path.name[0] != "." and path.suffix.lower() in RESULT_ENDINGS and path.is_file()
            }
            self._digests = self._read()

    def has(self, job_name: str) -> bool:
        """Whether the job's picture is there."""
        return job_name in self._finished

    def made(self, path: Path) -> bool:
        """Whether the manifest knows the file `path` as a result."""
        names = (path.stem, re.sub(r"~[0-9]+$", "", path.stem))
        return path.suffix.lower() in RESULT_ENDINGS and any(name in self._digests for name in names)

    def digest(self, job_name: str) -> str | None:
        """The digest of the picture's inputs and settings, if the manifest knows it."""
        return self._digests.get(job_name)

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Keep other `brushwork queue` processes out of the folder: both would write the same files.

        Raises CommandError, one sentence, while another one lives. A folder that takes no lock is not owned.
        """
        with ExitStack() as stack:
            try:
                self._hold(stack)
            except HeldError as error:
                raise CommandError(
                    f"{excerpt(str(self.folder), 300)} is being written by another brushwork queue, {error}; "
                    "wait until it has ended, or name another --out."
                ) from error
            yield

    def _hold(self, owner: ExitStack) -> None:
        try:
            owner.enter_context(held(self.folder / LOCK_FILE))
        except NoFileError as error:
            raise CommandError(system_sentence(error)) from error
        except OSError:  # such as a drive that can only be read
            return

    def check_writable(self) -> None:
        """Raise CommandError if no line can be added, before anything is painted."""
        with self._in_one_sentence():
            if self._manifest.is_fifo():  # opening it would wait until somebody reads
                check_file_or_free(self._manifest)
            self._manifest.open("ab").close()

    @contextmanager
    def part(self, job_name: str, number: int) -> Iterator[Path]:
        """Where a result is written until it is known to be whole."""
        with temporary_file(self.folder / f"{job_name}{_numbered(number)}") as part:
            yield part

    def publish(self, part: Path, job_name: str, number: int, ending: str) -> str:
        """Give the whole result in `part` its name, which is returned. Raises OSError."""
        name = f"{job_name}{_numbered(number)}{ending}"
        move_into_place(part, self.folder / name)
        return name

    def record(self, line: dict[str, Any]) -> None:
        """Append one line, on disk when this returns."""
        # A file name that is not UTF-8 has lone surrogates; with a backslash they are JSON.
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode(errors="backslashreplace")
        with self._in_one_sentence(), self._manifest.open("ab+") as file:
            # A line that a crash cut short must not swallow this one.
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> dict[str, str]:
        digests: dict[str, str] = {}
        if self._manifest.is_file():  # a device may have no end
            with self._manifest.open("rb") as file:
                while text := file.readline(_LONGEST_LINE):
                    try:
                        line = json.loads(text)
                        if line["status"] == "done" and isinstance(line["digest"], str):
                            digests[line["job"]] = line["digest"]
                    except (ValueError, KeyError, TypeError, RecursionError):
                        continue  # cut short by a crash
        return digests

    @contextmanager
    def _in_one_sentence(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            trouble = unwritable(Path(error.filename or self._manifest), error)
            raise trouble if isinstance(trouble, CommandError) else CommandError(f"{trouble}.") from error


def earlier_results(folder: Path) -> EarlierResults:
    """What earlier runs wrote into `folder`, which need not exist."""
    is_result = Results(folder).made if os.path.isdir(folder) else lambda path: False
    return EarlierResults(folder, is_result)


class UnwritableError(Exception):
    """One result cannot be written, for its name or what is there already; others can."""


# They say something about one name and not about the folder.
_OF_ONE_NAME = (errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTEMPTY, errno.EEXIST)


def unwritable(path: Path, error: OSError) -> CommandError | UnwritableError:
    """The error for a file of the results that cannot be written: of the run, or of its job alone."""
    said = f"{excerpt(str(path), 300)} cannot be written: {error.strerror or error}"
    advice = remedy(error, "look at the disk and the folder")
    if error.errno in _OF_ONE_NAME:
        return UnwritableError(f"{said}; {advice}")
    return CommandError(f"{said}; {advice} and give the same command again: it goes on from there.")


def _numbered(number: int) -> str:
    return f"~{number}" if number > 1 else ""
