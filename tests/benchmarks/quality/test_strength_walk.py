"""Where a walk down the strengths meets a peer."""

from __future__ import annotations

import pytest
from straight_medians import medians

from benchmarks.quality.strength_walk import StrengthWalk


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
