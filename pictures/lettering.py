"""Text on sheets and charts: one font, fitted or wrapped to a width in pixels."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from functools import lru_cache

from PIL import ImageFont

from ..base.text_files import one_line

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache
def font(size: int) -> Font:
    """Pillow's own font, `size` pixels high."""
    return ImageFont.load_default(size)


# Fonts with accents, which Pillow's own font lacks; they are searched for in the system's folders.
ACCENTED_FONTS = ("LiberationSans-Regular.ttf", "DejaVuSans.ttf", "arial.ttf", "Arial.ttf", "Helvetica.ttc")


# Fonts with the letters of other scripts, on Linux, Windows and macOS.
SCRIPT_FONTS = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoSerifCJK-Regular.ttc"),
    *("NotoSerifCJK-Bold.ttc", "NotoSansCJK-Bold.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf"),
    *("NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansThai-Regular.ttf"),
    *("NotoSansDevanagari-Regular.ttf", "NotoSansMono-Regular.ttf"),
    *("arial.ttf", "segoeui.ttf", "msyh.ttc", "YuGothR.ttc", "malgun.ttf", "Nirmala.ttc", "LeelawUI.ttf"),
    *("Arial Unicode.ttf", "PingFang.ttc", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "Kohinoor.ttc"),
)
# No font has a letter here, so all draw what they draw for a letter that they lack.
_NO_LETTER = "\U0010ffff"
# Letters of a name that are looked at; the middle of a longer one is left out.
_LONGEST = 300


def accented_font(size: int) -> Font:
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
    """`text` in Pillow's letters, with its middle left out if it is wider than `width` pixels."""
    return _fitted(latin(text), font(size), width)


def fitted_name(text: str, otherwise: str, size: int, width: int) -> tuple[str, Font]:
    """A name in any script, with its middle left out if it is too wide, and the font that has its letters.

    If no font of the system has all of them, `otherwise` in Pillow's font: a number says more than boxes.
    """
    text = one_line(unicodedata.normalize("NFC", text))
    if _without_accents(text).isascii():
        return fitted_text(text, size, width), font(size)
    for name in SCRIPT_FONTS:
        found = _system_font(name, size)
        if found is not None and _has_letters(found, text):
            return _fitted(text, found, width), found
    return fitted_text(otherwise, size, width), font(size)


@lru_cache
def _system_font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _has_letters(face: ImageFont.FreeTypeFont, text: str) -> bool:
    missing = bytes(face.getmask(_NO_LETTER))
    return all(
        letter.isspace() or unicodedata.combining(letter) or bytes(face.getmask(letter)) != missing
        for letter in set(text)
    )


def _fitted(text: str, face: Font, width: int) -> str:
    if len(text) > _LONGEST:
        text = text[: _LONGEST // 2] + text[-_LONGEST // 2 :]
    kept = len(text)
    fitted = text
    while face.getlength(fitted) > width and kept > 2:
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
