"""Text on sheets and charts: one font, fitted or wrapped to a width in pixels."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from functools import lru_cache

from PIL import ImageFont


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, `size` pixels high."""
    return ImageFont.load_default(size)


def fitted_text(text: str, size: int, width: int) -> str:
    """`text` with its middle left out if it is wider than `width` pixels."""
    text = latin(text)
    kept = len(text)
    fitted = text
    while font(size).getlength(fitted) > width and kept > 2:
        kept -= 1
        fitted = text[: math.ceil(kept * 0.6)] + "…" + text[len(text) - kept + math.ceil(kept * 0.6) :]
    return fitted


def latin(text: str) -> str:
    """`text` in the letters of Pillow's font: accents dropped, "?" for what is not Latin."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return letters.encode("ascii", "replace").decode()


def wrapped(text: str, size: int, width: int) -> list[str]:
    """`text` in lines that are at most `width` pixels wide in letters of `size`; none of no text."""
    columns = len(text)
    while columns > 1:
        lines = textwrap.wrap(text, columns)
        if all(font(size).getlength(line) <= width for line in lines):
            return lines
        columns -= 1
    return list(text)
