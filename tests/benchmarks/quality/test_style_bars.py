"""The bars on style, content and structure, from medians that are known."""

from __future__ import annotations

import pytest
from straight_medians import medians, peer

from benchmarks.quality.strength_walk import StrengthWalk
from benchmarks.quality.style import (
    SIZED_STYLE_NAMES,
    equal_content_bars,
    magenta_bars,
    medians_of,
    ratio_bars,
    structure_bars,
)


def test_ratios_to_microast():
    ours, rival = medians_of([medians(1)] * 3), peer(gram=0.125, mean_std=0.1, content=0.9)
    gram, mean_std, content = ratio_bars(ours, rival)
    assert (gram.value, gram.verdict) == (pytest.approx(0.8), "met")
    assert (mean_std.value, mean_std.verdict) == (pytest.approx(1), "MISSED")
    assert (content.value, content.verdict) == (pytest.approx(1 / 0.9), "MISSED")
    assert {bar.verdict for bar in ratio_bars(ours, None)} == {"not measured"}


def test_magenta_at_equal_content_loss():
    # Content losses are equal at strength 0.5, where ours has 0.55 and 0.3.
    gram, mean_std = magenta_bars(StrengthWalk(medians), peer(content=0.5, gram=0.6, mean_std=0.2))
    assert (gram.value, gram.verdict) == (pytest.approx(0.55), "met")
    assert (mean_std.value, mean_std.verdict) == (pytest.approx(0.3), "MISSED")
    assert "at strength 0.50" in gram.note


def test_magenta_where_our_content_loss_is_lower_anyway():
    walk = StrengthWalk(medians)
    gram, mean_std = magenta_bars(walk, peer(content=1.2, gram=0.2, mean_std=0.05))
    assert (gram.value, gram.verdict) == (pytest.approx(0.1), "met")
    assert mean_std.verdict == "MISSED"
    assert "at strength 1, where Brushwork's content loss is lower (1.000, 1.200)" in gram.note
    assert list(walk.known) == [1.0]


def test_a_peer_at_equal_content_loss_by_every_size_that_was_scored():
    def ours(strength):
        return medians(strength) | {"gram_half": 1 - 0.8 * strength}

    bars = equal_content_bars(
        StrengthWalk(ours), peer(content=0.5, gram=0.6, gram_half=0.5), "WCT 16x", SIZED_STYLE_NAMES
    )
    assert {bar.name: (bar.value, bar.verdict) for bar in bars} == {
        "style: Gram loss at WCT 16x's content loss": (pytest.approx(0.55), "met"),
        "style: half-size Gram loss at WCT 16x's content loss": (pytest.approx(0.6), "MISSED"),
        "style: mean/std loss at WCT 16x's content loss": (pytest.approx(0.3), "MISSED"),
    }


def test_structure_at_microasts_style_loss():
    # Gram losses are equal at strength 8/9, mean/std losses at 0.75: SSIM 0.556 and 0.625.
    gram, mean_std = structure_bars(StrengthWalk(medians), peer(ssim=0.6))
    assert (gram.value, gram.verdict) == (pytest.approx(1 - 4 / 9), "MISSED")
    assert (mean_std.value, mean_std.verdict) == (pytest.approx(0.625), "met")


def test_structure_out_of_reach_is_missed():
    gram, _ = structure_bars(StrengthWalk(medians), peer(gram=0.05))
    assert (gram.value, gram.verdict) == (None, "MISSED")
    assert "at strength 1 is 0.100, above its 0.050" in gram.note
