"""Text that fits: left out in the middle, wrapped, or without its accents."""

from __future__ import annotations

import pytest

from brushwork.pictures import lettering
from brushwork.pictures.lettering import (
    accented_font,
    fitted_name,
    fitted_text,
    font,
    latin,
    wrapped,
    writable,
)


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


def test_names_in_any_script_or_the_number_alone(monkeypatch):
    assert fitted_name("#3 plain.jpg", "#3", 14, 400) == ("#3 plain.jpg", font(14))
    assert fitted_name("#3 Doré.jpg", "#3", 14, 400)[0] == "#3 Dore.jpg"
    assert fitted_name("a\nb\u202e", "#3", 14, 400)[0] == "a\\nb\\u202e"
    # No font has a letter at a place that Unicode keeps empty.
    assert fitted_name("#3 \U00050000.jpg", "#3", 14, 400) == ("#3", font(14))
    monkeypatch.setattr(lettering, "SCRIPT_FONTS", ("no such font.ttf",))
    assert fitted_name("#3 北斎.jpg", "#3", 14, 400) == ("#3", font(14))
    assert fitted_name("#3 北斎.jpg", "", 14, 400)[0] == ""


def test_a_font_that_has_the_letters(monkeypatch):
    face = next(filter(None, (lettering._system_font(name, 14) for name in lettering.SCRIPT_FONTS)), None)
    if face is None:
        pytest.skip("this system has none of the fonts")
    letters = next((text for text in ("Ωμέγα", "Привет", "北斎") if lettering._has_letters(face, text)), None)
    text, found = fitted_name(f"#3 {letters} {'long ' * 100}", "#3", 14, 178)
    assert found.getlength(text) <= 178
    assert letters in text
