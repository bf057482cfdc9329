"""Pairs of photos and styles."""

from __future__ import annotations

import pytest

from brushwork.base.pairs import paired


def test_each_with_each_keeps_a_photo_s_styles_together():
    assert paired("ab", [1, 2], "cross") == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


def test_side_by_side():
    assert paired("ab", [1, 2], "zip") == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ("zip", "need as many styles as photos, and there are 2 photos and 1 style; add or remove some"),
        ("both", "pairs is 'both'; choose one of cross, zip"),
    ],
)
def test_what_cannot_be_paired(pairs, sentence):
    with pytest.raises(ValueError, match=sentence):
        paired("ab", [1], pairs)
