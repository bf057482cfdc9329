"""Which photos meet which paintings."""

from __future__ import annotations

from brushwork.evaluation.pairs import draw_pairs, pairs_in_step


def test_pairs_use_every_picture_before_one_returns() -> None:
    pairs = draw_pairs(4, 6, 100, seed=2)
    assert len(pairs) == len(set(pairs)) == 24
    for start in (0, 6, 12, 18):
        assert len({style for _, style in pairs[start : start + 6]}) == 6
    assert draw_pairs(4, 6, 5, seed=2) == pairs[:5]
    assert draw_pairs(4, 6, 5, seed=3) != pairs[:5]


def test_every_pair_comes_once_though_both_counts_share_a_factor() -> None:
    # Without a slip the lists would repeat after 12 pairs.
    pairs = pairs_in_step("abcd", range(6), 1000)
    assert len(pairs) == len(set(pairs)) == 24
    assert pairs[:4] == [("a", 0), ("b", 1), ("c", 2), ("d", 3)]
