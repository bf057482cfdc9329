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


# Fonts with accents, which Pillow's own font lacks; they are searched for in the system's folders.
ACCENTED_FONTS = ("LiberationSans-Regular.ttf", "DejaVuSans.ttf", "arial.ttf", "Arial.ttf", "Helvetica.ttc")


def accented_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of the system that has accents, `size` pixels high; Pillow's own if there is none."""
    name = _accented_font()
    return ImageFont.truetype(name, size) if name else font(size)


def writable(text: str) -> str:
    """`text` as `accented_font` can draw it: without its accents if no font has them."""
    return text if _accented_font() else _without_accents(text)


@lru_cache(maxsize=1)
def _accented_font() -> str | None:
    for name in ACCENTED_FONTS:
        try:
            ImageFont.truetype(name, 16)
        except OSError:
            continue
        return name
    return None


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
    return _without_accents(text).encode("ascii", "replace").decode()


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def wrapped(text: str, size: int, width: int) -> list[str]:
    """`text` in lines of at most `width` pixels in letters of `size`; an empty text has no lines."""
    columns = len(text)
    while columns > 1:
        lines = textwrap.wrap(text, columns)
        if all(font(size).getlength(line) <= width for line in lines):
            return lines
        columns -= 1
    return list(text)
