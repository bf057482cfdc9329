"""Text and JSON that may come from anywhere: read within a bound, and shown on a terminal."""

from __future__ import annotations

import json
import os
import re
import stat
import unicodedata
from pathlib import Path
from typing import Any

LARGEST = 16 * 2**20
"""Bytes of a text file at most: a catalogue or split of 100,000 pictures is smaller."""

# Control characters, halves of characters (bytes of a name that are not UTF-8), marks that turn the direction
# of writing, line ends and the byte order mark; for the brackets of a regular expression.
UNSHOWN = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff"


def read_text(path: str | os.PathLike[str], largest: int = LARGEST) -> str:
    """A file of text in UTF-8, with or without a byte order mark.

    Raises ValueError, one sentence, if it is missing, larger than `largest` bytes or something else.
    """
    try:
        if _is_named_pipe(path):
            raise ValueError(f"{path} is a pipe and no file; give a file.")
        with Path(path).open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > largest:
        raise ValueError(
            f"{path} is larger than {largest // 2**20} MB, so it is not read; give another file."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} cannot be read as text; save it as UTF-8.") from error


def _is_named_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether reading would wait until somebody writes. One that is open already, as /dev/stdin, is fine."""
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        return False
    folder = os.path.realpath(os.path.dirname(os.path.abspath(path)))
    return folder != "/dev" and not folder.startswith(("/proc/", "/dev/fd"))


def read_json(path: str | os.PathLike[str], largest: int = LARGEST) -> Any:  # noqa: ANN401  # whatever the file holds
    """The value in a JSON file; errors as in `read_text`, also for text that is not JSON."""
    text = read_text(path, largest)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON that can be read; its values are too long or deep.") from error


def one_line(text: str, keep: str = "") -> str:
    r"""`text` as a terminal may show it: escapes for characters that would steer it, except those in `keep`.

    >>> print(one_line("a\x1b[2J\nb"))
    a\x1b[2J\nb
    """
    return re.sub(f"[{UNSHOWN}]", lambda found: found[0] if found[0] in keep else escaped(found[0]), text)


def escaped(character: str) -> str:
    """How Python writes a character that does not show."""
    return character.encode("unicode_escape").decode("ascii")


def same_name(name: str) -> str:
    """Equal for names that some file system takes for the same: case and Unicode form do not count.

    >>> same_name("Cafe\u0301.jpg") == same_name("CAF\u00c9.JPG")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
