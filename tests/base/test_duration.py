"""Durations in words."""

from __future__ import annotations

import pytest

from brushwork.base.duration import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (8, "8 s"),
        (59.6, "1 min 00 s"),
        (292, "4 min 52 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7260, "2 h 01 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d 0 h"),
    ],
)
def test_the_two_largest_units(seconds, text):
    assert duration(seconds) == text
