"""Files that a command writes: a report as JSON, a sheet as a picture."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.excerpt import excerpt
from ..base.files import write_atomically
from ..base.folders import is_hidden_name, is_lost_link, lost_link_above, real_path
from ..base.system_errors import write_sentence
from .errors import CommandError
from .terminal import complain, tell

if TYPE_CHECKING:
    from PIL import Image

SHEET_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


def check_folder(folder: Path, option: str) -> None:
    """Raise CommandError if the folder for results that `option` names is a file, below one, or behind a link
    to what is not there; it need not exist."""
    if lost := lost_link_above(folder):
        raise CommandError(
            f"{option} {folder}: {lost} is a link to what is not there; mend the link, or name "
            "another folder."
        )
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{option} {folder} is a file; name a folder.")
    if (above := _what_is_there(folder)) is not None and not above.is_dir():
        reason = os.strerror(errno.ENOTDIR)
        raise CommandError(f"{option} {folder} cannot be made: {reason}; name another folder.")


def check_writable(folder: Path, option: str) -> None:
    """Raise CommandError if this user may not write into the folder for results that `option` names, or not
    make it. It writes nothing; some disks say so only when they are written to."""
    _check_rights(folder, folder, option)


def _check_rights(folder: Path, shown: Path, option: str) -> None:
    above = _what_is_there(folder)
    if above is None or os.access(above, os.W_OK | os.X_OK):
        return
    # Windows has no such flags, and gives every folder until something is written.
    flags = os.statvfs(above).f_flag if hasattr(os, "statvfs") else 0
    number = errno.EROFS if flags & getattr(os, "ST_RDONLY", 0) else errno.EACCES
    raise CommandError(f"{option} {write_sentence(shown, OSError(number, os.strerror(number)))}")


def _what_is_there(path: Path) -> Path | None:
    """`path` itself, or the first folder above it that is there."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), None)


def check_file(path: Path | None, option: str) -> None:
    """Raise CommandError if no file can be written to `path`, which `option` names; before the work is done.

    A folder may be there, or a file in the place of one of its folders.
    """
    if path is None:
        return
    if path.is_dir():
        raise CommandError(f"{option} {path} is a folder; name a file.")
    above = _what_is_there(path.parent)
    if above is not None and is_lost_link(above):
        raise CommandError(
            f"{option} {path}: {above} is a link to what is not there; mend the link, or name another place."
        )
    if above is not None and not above.is_dir():
        raise CommandError(f"{option} {path}: {above} is a file; name another place.")
    # What is there may be a pipe or a terminal, which needs no folder.
    if not path.exists():
        _check_rights(real_path(path).parent, path, option)


def make_folder(folder: Path, option: str) -> None:
    """Make the folder for results that `option` names, and those above it. Raises CommandError."""
    try:
        check_folder(folder, option)
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(
            f"{option} {excerpt(str(folder), 300)} cannot be made: {reason}; name another folder."
        ) from error


def has_sheet_ending(path: Path) -> bool:
    """Whether `ResultFiles.sheet` knows the format that the file's ending stands for."""
    return path.suffix.lower() in SHEET_FORMATS


def lies_among(path: Path, folder: Path) -> bool:
    """Whether a listing of the pictures in `folder` would find one at `path`, or below it."""
    target, root = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    visible = root in (target, *target.parents)
    return visible and not any(map(is_hidden_name, target.relative_to(root).parts))


def check_no_source(option: str, path: Path | None, folders: Iterable[Path | None]) -> None:
    """Raise CommandError if a picture at `path`, which `option` names, would be taken for one of those in
    `folders` the next time."""
    for folder in folders:
        if path is not None and folder is not None and lies_among(path, folder):
            raise CommandError(
                f"{option} {path} is in {folder}, where the next command would take it for one of the "
                "pictures; name another place."
            )


class ResultFiles:
    """Files that a command writes before it prints anything; a failure is told after all have been tried."""

    def __init__(self) -> None:
        self.written: list[Path] = []
        self.problems: list[str] = []

    def json(self, path: Path, report: Mapping[str, object]) -> None:
        """Write `report` as JSON."""
        text = json.dumps(report, indent=1, ensure_ascii=False)
        # Names that are not UTF-8 get the escapes that JSON has for them.
        self._write(path, text.encode(errors="backslashreplace"))

    def sheet(self, path: Path, sheet: Image.Image) -> None:
        """Write `sheet` in the format of the file's ending; see `has_sheet_ending`."""
        data = io.BytesIO()
        sheet.save(data, SHEET_FORMATS[path.suffix.lower()], quality=92)
        self._write(path, data.getvalue())

    def _write(self, path: Path, data: bytes) -> None:
        try:
            write_atomically(path, data)
        except OSError as error:
            self.problems.append(write_sentence(path, error))
        else:
            self.written.append(path)


@contextmanager
def written_first() -> Iterator[ResultFiles]:
    """Write files within this context, then print; at its end it says what was written.

    Raises CommandError, one sentence, for a file that could not be written.
    """
    files = ResultFiles()
    yield files
    for path in files.written:
        tell(f"wrote {path}")
    for problem in files.problems[:-1]:
        complain(problem)
    if files.problems:
        raise CommandError(files.problems[-1])
