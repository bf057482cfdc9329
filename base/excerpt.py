"""Texts and values of any length and content, as a part of one line on a terminal."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterable

from .text_files import escaped

_LONGEST = 80
_MOST_NAMES = 20

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = _LONGEST
_repr.maxlevel = 3


def excerpt(text: str, longest: int = _LONGEST) -> str:
    """`text` on one line, cut after `longest` characters, with escapes for what cannot be printed.

    Control characters move the cursor, marks of direction turn a sentence round, and lone surrogates cannot
    be encoded at all.

    >>> print(excerpt("two\\n  lines\\x1b[2J"))
    two lines\\x1b[2J
    >>> excerpt("a" * 10_000, 5)
    'aaaaa…'
    """
    # Cut first: the rest may be long. Spaces may go, so take some more than are needed.
    line = " ".join(text[: 4 * longest].split())
    line = "".join(letter if letter.isprintable() else escaped(letter) for letter in line)
    return line if len(line) <= longest and len(text) <= 4 * longest else f"{line[:longest]}…"


def value_excerpt(value: object) -> str:
    """`value` as Python writes it, on one line, cut in the middle if it is long.

    >>> value_excerpt(["4", 0])
    "['4', 0]"
    """
    shown = _repr.repr(value)
    return " ".join(shown.split()) if "\n" in shown else shown


def json_excerpt(value: object) -> str:
    """A value from a JSON file as such files write it, but texts in single quotes; cut if it is long.

    >>> json_excerpt(None), json_excerpt(["4", True])
    ('null', '["4", true]')
    """
    if isinstance(value, str):
        return value_excerpt(value)
    try:
        return excerpt(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return value_excerpt(value)


def enumeration(names: Iterable[object]) -> str:
    """The first 20 of `names`, with commas, and how many more there are.

    >>> enumeration(range(22))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 and 2 more'
    """
    every = list(names)
    shown = ", ".join(excerpt(str(name)) for name in every[:_MOST_NAMES])
    return f"{shown} and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else shown


def hide_secrets(text: str) -> str:
    """`text` from a command line with … for every word that may be an address with a password or a token.

    >>> hide_secrets("unrecognized arguments: --sever http://me:secret@host")
    'unrecognized arguments: --sever …'
    """
    return re.sub(r"\S*(@|://\S*[?#])\S*", "…", text)
