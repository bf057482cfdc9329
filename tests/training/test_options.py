"""The options of a run: schedules, checks, the way through JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from brushwork.training.losses import LossWeights
from brushwork.training.options import TrainOptions


def test_round_trip_through_json() -> None:
    options = TrainOptions(steps=7, content_scale=(256, 300), weights=LossWeights(gram=2.5))
    assert TrainOptions.from_dict(json.loads(json.dumps(options.as_dict()))) == options


def test_rate_warms_up_stays_and_falls_to_a_fiftieth() -> None:
    options = TrainOptions(steps=1000, warmup=100, decay_from=0.5)
    assert options.rate_at(0) == pytest.approx(0.01)
    assert options.rate_at(99) == options.rate_at(100) == options.rate_at(499) == 1
    assert options.rate_at(750) == pytest.approx(0.02 + 0.98 / 2)
    assert options.rate_at(1000) == pytest.approx(0.02)
    falling = [options.rate_at(step) for step in range(500, 1001)]
    assert falling == sorted(falling, reverse=True)


def test_adversarial_weight_ramps_up_after_the_perceptual_warm_up() -> None:
    options = TrainOptions(steps=1000, adversarial_from=0.4, adversarial_ramp=0.1)
    assert options.adversarial_at(399) == 0
    assert options.adversarial_at(400) == pytest.approx(0.01)
    assert options.adversarial_at(449) == pytest.approx(0.5)
    assert options.adversarial_at(499) == options.adversarial_at(999) == 1
    off = replace(options, weights=LossWeights(adversarial=0))
    assert off.adversarial_at(999) == 0


def test_crops_grow() -> None:
    options = TrainOptions(steps=100, crop=128, late_crop=192, late_from=0.8)
    assert [options.crop_at(step) for step in (0, 79, 80, 99)] == [128, 128, 192, 192]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": 0}, "steps is 0; give 1 or more"),
        ({"late_from": 1.5}, "late_from is 1.5; give a value from 0 to 1"),
        ({"lr": float("nan")}, "lr is nan; give a number above 0"),
        ({"lr_d": 0.0}, "lr_d is 0.0; give a number above 0"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"adversarial": "wasserstein"}, "adversarial is 'wasserstein'"),
        ({"loss_dtype": "float16"}, "loss_dtype is 'float16'"),
        ({"crop": 100}, "multiples of 8"),
        ({"style_crop": 128}, "style_crop is 128; it must not be smaller"),
    ],
)
def test_nonsense_is_refused(values: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrainOptions(**values)
