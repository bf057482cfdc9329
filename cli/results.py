"""Files that a command writes: a report as JSON, a sheet as a picture."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.excerpt import excerpt
from ..base.files import write_atomically
from .errors import CommandError
from .terminal import say

if TYPE_CHECKING:
    from PIL import Image
    from rich.console import Console

SHEET_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}


def check_folder(folder: Path, option: str) -> None:
    """Raise CommandError if the folder for results that `option` names is a file; it need not exist."""
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{option} {folder} is a file; name a folder.")


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
    """Whether `write_sheet` knows the format that the file's ending stands for."""
    return path.suffix.lower() in SHEET_FORMATS


def write_json(path: Path, report: Mapping[str, object], console: Console) -> None:
    """Write `report` and say so. Raises CommandError, one sentence, if it cannot be written."""
    _write(path, json.dumps(report, indent=1, ensure_ascii=False).encode(), console)


def write_sheet(path: Path, sheet: Image.Image, console: Console) -> None:
    """Write `sheet` in the format of the file's ending and say so.

    Raises CommandError, one sentence, if it cannot be written.
    """
    data = io.BytesIO()
    sheet.save(data, SHEET_FORMATS[path.suffix.lower()], quality=92)
    _write(path, data.getvalue(), console)


def _write(path: Path, data: bytes, console: Console) -> None:
    try:
        write_atomically(path, data)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    say(console, f"wrote {path}")
