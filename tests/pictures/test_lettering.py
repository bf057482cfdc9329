"""Text that fits: left out in the middle, wrapped, or without its accents."""

from __future__ import annotations

from brushwork.pictures import lettering
from brushwork.pictures.lettering import accented_font, fitted_text, font, latin, wrapped, writable


def test_lines_are_broken_between_words_where_there_are_any():
    text = "a few words and then some"
    lines = wrapped(text, 18, 120)
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(font(18).getlength(line) <= 120 for line in lines)
    assert wrapped("", 18, 120) == []


def test_what_is_too_wide_loses_its_middle():
    text = "the beginning of a name that is too long and its end"
    fitted = fitted_text(text, 16, 160)
    assert font(16).getlength(fitted) <= 160
    first, last = fitted.split("…")
    assert text.startswith(first)
    assert text.endswith(last)
    assert len(first) >= len(last) > 3
    assert fitted_text(text, 16, 2000) == text


def test_only_latin_letters_are_left():
    assert latin("Doré 雪 ★") == "Dore ? ?"


def test_accents_are_drawn_or_left_out(monkeypatch):
    lettering._accented_font.cache_clear()
    monkeypatch.setattr(lettering, "ACCENTED_FONTS", ("no such font.ttf",))
    assert writable("Paul Cézanne, Arthur Rössler") == "Paul Cezanne, Arthur Rossler"
    assert accented_font(16).getlength("width") == font(16).getlength("width")
    lettering._accented_font.cache_clear()
