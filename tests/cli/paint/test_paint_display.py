"""How far painting is: plain text, and bars."""

from __future__ import annotations

import sys

import pytest

from brushwork.cli.paint.display import PaintBars, PaintDisplay, open_display


@pytest.fixture
def clock():
    """A clock that a test sets."""
    now = [0.0]

    def read():
        return now[0]

    read.set = lambda seconds: now.__setitem__(0, seconds)
    return read


@pytest.fixture
def terminal(capsys, monkeypatch):
    """Makes standard error a terminal, and gives a function that returns what was written."""

    def begin():
        # Within the test: pytest puts another stream in place after its fixtures.
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        return capsys.readouterr

    return begin


def lines(text):
    return [line.rstrip() for line in text.split("\r") if line.strip()]


def test_each_picture_and_all(terminal, clock):
    written = terminal()
    with PaintDisplay(3, clock) as display:
        display.start("one.png")
        clock.set(10)
        display.step(5, 10, 10.0)
        clock.set(20)
        display.finish(painted=True)
        display.say("one.png (20 s)")
        display.finish(painted=False)
        display.start("three.png")
    out, err = written()
    assert lines(err) == [
        "1 of 3: one.png",
        "1 of 3: one.png, step 5 of 10, 10 s left; 50 s left for all",
        "3 of 3: three.png; 20 s left for all",
    ]
    assert out == "one.png (20 s)\n"
    # Nothing is left on the line that was written over.
    assert err.endswith(" \r")


def test_the_next_picture_may_begin_before_the_last_one_is_done(terminal, clock):
    written = terminal()
    with PaintDisplay(3, clock) as display:
        display.start("one.png", 1)
        clock.set(4)
        display.start("two.png", 2)
        display.finish(painted=True, seconds=4)
        display.step(3, 9, 6.0, "frame")
    assert lines(written().err) == [
        "1 of 3: one.png",
        "2 of 3: two.png",
        "2 of 3: two.png, frame 3 of 9, 6 s left; 10 s left for all",
    ]


def test_steps_are_shown_ten_times_a_second_and_the_last(terminal, clock):
    written = terminal()
    with PaintDisplay(1, clock) as display:
        display.start("one.png")
        for step in range(1, 101):
            clock.set(step / 100)
            display.step(step, 100, 1 - step / 100)
    shown = [line for line in lines(written().err) if "step" in line]
    assert 9 <= len(shown) <= 11
    assert shown[-1] == "1 of 1: one.png, step 100 of 100, 0 s left"


def test_a_line_is_never_wider_than_the_terminal(terminal, clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    written = terminal()
    with PaintDisplay(1, clock) as display:
        display.start("a long name " * 10)
    assert max(map(len, written().err.split("\r"))) == 29


def test_wide_letters_take_two_columns(terminal, clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    written = terminal()
    with PaintDisplay(1, clock) as display:
        display.start("海" * 30)
    shown, *cleared = written().err.split("\r")[1:]
    assert shown == "1 of 1: " + "海" * 10
    assert cleared[0] == " " * 28


def test_without_a_terminal_only_what_stays(capsys, clock):
    with PaintDisplay(1, clock) as display:
        display.start("one.png")
        display.step(1, 1, 0)
        display.complain("oh")
        display.finish(painted=True)
        display.say("one.png")
    assert capsys.readouterr() == ("one.png\n", "oh\n")


def test_bars_where_rich_is_installed(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    written = terminal()
    with open_display(2) as display:
        assert isinstance(display, PaintBars)
        display.start("one [bold].png")
        display.step(3, 10, 5.0)
        display._bars.refresh()
        display.finish(painted=True)
        display.say("one [bold].png (2 s)")
    out, err = written()
    assert out == "one [bold].png (2 s)\n"
    for text in ("one [bold].png", "0/2", "steps", "3/10"):
        assert text in err


def test_plain_text_where_it_is_not(terminal, monkeypatch):
    terminal()
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert type(open_display(1)) is PaintDisplay


def test_plain_text_where_nobody_sees_bars():
    assert type(open_display(1)) is PaintDisplay
