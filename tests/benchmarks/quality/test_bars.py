"""Bars: what meets them and how they are printed; and where a walk down the strengths meets a peer."""

from __future__ import annotations

import math

import pytest

from benchmarks.quality.bar import at_least, at_most, bars_table, below, not_measured
from benchmarks.quality.strength_walk import StrengthWalk
from benchmarks.quality.style import magenta_bars, medians_of, ratio_bars, structure_bars


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


def medians(strength):
    """Content loss grows with the strength, style loss and SSIM fall; all by hand, in straight lines."""
    return {
        "content": strength,
        "gram": 1 - 0.9 * strength,
        "mean_std": 0.5 - 0.4 * strength,
        "ssim": 1 - strength / 2,
    }


def peer(**values):
    return {"content": 1.0, "gram": 0.2, "mean_std": 0.2, "ssim": 0.5} | values


def test_the_walk_meets_a_style_loss_between_two_strengths():
    walk = StrengthWalk(medians)
    # 1 - 0.9 s = 0.235 at s = 0.85.
    meeting = walk.meet("gram", 0.235)
    assert meeting.strength == pytest.approx(0.85)
    assert meeting.medians["ssim"] == pytest.approx(0.575)
    assert sorted(walk.known) == [0.8, 0.9, 1.0]


def test_the_walk_meets_a_content_loss():
    meeting = StrengthWalk(medians).meet("content", 0.42)
    assert meeting.strength == pytest.approx(0.42)
    assert meeting.medians["gram"] == pytest.approx(1 - 0.9 * 0.42)


def test_the_walk_meets_at_full_strength_or_not_at_all():
    walk = StrengthWalk(medians)
    assert walk.meet("mean_std", medians(1)["mean_std"]).strength == 1
    # Full strength is the least style loss and the most content loss that there is.
    assert walk.meet("gram", 0.05) is None
    assert walk.meet("content", 1.5) is None
    assert walk.meet("gram", 1.5) is None
    assert min(walk.known) == 0


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
    assert "at strength 1, where our content loss is lower (1.000, 1.200)" in gram.note
    assert list(walk.known) == [1.0]


def test_structure_at_microasts_style_loss():
    # Gram losses are equal at strength 8/9, mean/std losses at 0.75: SSIM 0.556 and 0.625.
    gram, mean_std = structure_bars(StrengthWalk(medians), peer(ssim=0.6))
    assert (gram.value, gram.verdict) == (pytest.approx(1 - 4 / 9), "MISSED")
    assert (mean_std.value, mean_std.verdict) == (pytest.approx(0.625), "met")


def test_structure_out_of_reach_is_missed():
    gram, _ = structure_bars(StrengthWalk(medians), peer(gram=0.05))
    assert (gram.value, gram.verdict) == (None, "MISSED")
    assert "at strength 1 is 0.100, above its 0.050" in gram.note
