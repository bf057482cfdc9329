"""Bars: what meets them, and how they are printed."""

from __future__ import annotations

import math

import pytest

from benchmarks.quality.bar import at_least, at_most, bars_table, below, not_measured


@pytest.mark.parametrize(
    ("bar", "verdict"),
    [
        (at_most("a", 0.85, 0.85), "met"),
        (at_most("a", 0.851, 0.85), "MISSED"),
        (at_least("a", 24.0, 24), "met"),
        (at_least("a", 23.9, 24), "MISSED"),
        (at_least("a", math.inf, 35), "met"),
        (below("a", 2.99, 3), "met"),
        (below("a", 3.0, 3), "MISSED"),
        (not_measured("a", "below 3", "no peer"), "not measured"),
    ],
)
def test_verdicts(bar, verdict):
    assert bar.verdict == verdict


def test_table():
    bars = [
        at_most("ratio", 0.7, 0.85, "medians 0.7 and 1"),
        below("KID", 0.00123, 0.00345, whose="MicroAST's "),
        at_least("PSNR", math.inf, 35),
        not_measured("SSIM", "at least MicroAST's", "needs --microast"),
    ]
    assert bars_table(bars).splitlines()[2:] == [
        "| ratio | 0.700 | at most 0.85 | met | medians 0.7 and 1 |",
        "| KID | 0.00123 | below MicroAST's 0.00345 | met |  |",
        "| PSNR | exact | at least 35 | met |  |",
        "| SSIM | - | at least MicroAST's | not measured | needs --microast |",
        "",
        "4 bars: 3 met, 0 MISSED, 1 not measured.",
    ]
