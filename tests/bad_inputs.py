"""Bad files that people give to Brushwork, and what they see: the rows of a table, each held by a test.

`tests/test_bad_inputs.py` makes each file and runs the command; a document may be made from the same rows.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image


class BadInput(NamedTuple):
    """`{file}` in command and message is the path of the file with these bytes."""

    what: str
    """The file in words, for a table."""
    name: str
    make: Callable[[], bytes]
    command: tuple[str, ...]
    message: str
    """Part of what the command says."""
    code: int = 2


def png(width: int = 40, height: int = 30) -> bytes:
    data = io.BytesIO()
    Image.effect_noise((width, height), 80).save(data, "PNG")
    return data.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + data
        + struct.pack(">I", zlib.crc32(data))
        + b"\0\0\0\0IDAT"
    )


def key(**change: object) -> bytes:
    record = {"format": "brushwork-judge-key", "version": 1, "sheet": "S-1", "a": "x", "b": "y"}
    return json.dumps(record | {"rows": ["r"], "sides": "AA=="} | change).encode()


_ENCODE = ("encode", "{file}", "--out", "{out}")
_CATALOGUE = ("encode", "--catalogue", "{file}", "--out", "{out}")
_DATASET = ("dataset", "{folder}")
_SPLIT = ("dataset", "{folder}", "--split", "{file}")
_TALLY = ("judge", "tally", "{file}", "{file}")
_BROKEN = "{file} is not a picture that can be read; choose a whole one."
_KEY = "{file} is not a key that this Brushwork wrote; give the sheet's key.json."

BAD_INPUTS = [
    BadInput("an empty picture", "a.png", lambda: b"", _ENCODE, _BROKEN),
    BadInput("half a picture", "a.png", lambda: png()[:300], _ENCODE, _BROKEN),
    BadInput("a text called .png", "a.png", lambda: b"no picture", _ENCODE, _BROKEN),
    BadInput("PostScript called .jpg", "a.jpg", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", _ENCODE, _BROKEN),
    BadInput(
        "a scan of 180 million pixels",
        "a.png",
        lambda: png_of_size(15_000, 12_000),
        _ENCODE,
        "it claims more than 179 million pixels, and at most 128 million are read; scale it down, or raise "
        "the limit with the environment variable BRUSHWORK_MAX_MEGAPIXELS.",
    ),
    BadInput(
        "a small file of 162 million pixels",
        "a.png",
        lambda: png_of_size(13_000, 12_500),
        _ENCODE,
        "it has 162.5 million pixels, and at most 128 million are read; scale it down",
    ),
    BadInput(
        "the same in a folder",
        "a.png",
        lambda: png_of_size(13_000, 12_500),
        _DATASET,
        "a.png: it has 162.5",
        0,
    ),
    BadInput("half a picture in a folder", "a.png", lambda: png()[:300], _DATASET, "a.png: it is damaged", 0),
    BadInput(
        "a hidden picture in a folder",
        "._a.png",
        png,
        _DATASET,
        "holds no picture (1 hidden picture (._a.png)",
    ),
    BadInput(
        "a catalogue in UTF-16",
        "c.csv",
        lambda: "file,name".encode("utf-16"),
        _CATALOGUE,
        "save it as UTF-8.",
    ),
    BadInput("a catalogue that is no JSON", "c.json", lambda: b"{", _CATALOGUE, "{file} is not JSON: "),
    BadInput(
        "JSON nested 100,000 deep",
        "c.json",
        lambda: b"[" * 100_000,
        _CATALOGUE,
        "its values are too long or deep.",
    ),
    BadInput("a catalogue of 17 MB", "c.csv", lambda: b" " * 17 * 2**20, _CATALOGUE, "is larger than 16 MB"),
    BadInput("a split file without the folder", "s.json", lambda: b"{}", _SPLIT, "has no entry"),
    BadInput("a key of another version", "k.json", lambda: key(version=2), _TALLY, _KEY),
    BadInput("a key with numbers for names", "k.json", lambda: key(rows=[1]), _TALLY, _KEY),
    BadInput("a key for answers", "k.json", key, _TALLY, "has no columns sheet, row and answer"),
]
