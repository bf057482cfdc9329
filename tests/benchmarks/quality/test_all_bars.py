"""Which photos and paintings the bars are measured on."""

from __future__ import annotations

from benchmarks.quality.all_bars import routes


def test_routes_join_different_paintings(pairs):
    styles = [pair.style for pair in pairs[:2]]
    assert routes(pairs, styles, 3) == [(pairs[0].content, (styles[0], styles[1]))]
    assert routes(pairs, styles[:1], 3) == []
