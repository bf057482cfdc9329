"""The options of a run: schedules, checks, the way through JSON."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from brushwork.training.options import MODE_DEFAULTS, MODES, LossWeights, TrainOptions, sized


def test_round_trip_through_json() -> None:
    options = TrainOptions(
        steps=7, content_scale=(256, 300), size_shares=(0.0, 1.0, 0.25), weights=LossWeights(style=2.5)
    )
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
    options = TrainOptions(steps=100, resolution=128, late_resolution=192, late_from=0.8)
    assert [options.resolution_at(step) for step in (0, 79, 80, 99)] == [128, 128, 192, 192]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_its_defaults_and_changes_win(mode: str) -> None:
    options = TrainOptions.for_mode(mode, {"content": 3.0}, steps=77, lr=0.5)
    assert (options.mode, options.steps, options.lr, options.weights.content) == (mode, 77, 0.5, 3.0)
    for name, value in MODE_DEFAULTS[mode].items():
        if name not in ("steps", "lr", "weights"):
            assert getattr(options, name) == value
    assert TrainOptions.from_dict(json.loads(json.dumps(options.as_dict()))) == options


def test_a_style_code_has_no_discriminator() -> None:
    assert not TrainOptions.for_mode("style_code", {"adversarial": 1.0}).uses_discriminator
    assert TrainOptions.for_mode("fine_tune").uses_discriminator
    assert not TrainOptions.for_mode("fine_tune", {"adversarial": 0.0}).uses_discriminator


def test_every_option_explains_itself() -> None:
    for option in (*fields(TrainOptions), *fields(LossWeights)):
        if option.name != "weights":
            assert option.metadata["text"].endswith("."), option.name


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"mode": "quick"}, "mode is 'quick'; choose one of style_code, fine_tune, from_scratch"),
        ({"steps": 0}, "steps is 0; give a value from 1 to"),
        ({"late_from": 1.5}, "late_from is 1.5; give a value from 0 to 1"),
        ({"lr": float("nan")}, "lr is nan; give a value from 1e-08"),
        ({"lr": 10**400}, "lr is 1000.*…; give a value from 1e-08"),
        ({"steps": -(10**400)}, "steps is -1000.*…; give a value from 1 to"),
        ({"lr_d": 0.0}, "lr_d is 0.0; give a value from"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"validation_share": 0.9}, "validation_share is 0.9; give a value from 0 to 0.5"),
        ({"adversarial": "wasserstein"}, "adversarial is 'wasserstein'"),
        ({"loss_dtype": "float16"}, "loss_dtype is 'float16'"),
        ({"resolution": 100}, "resolution is 100; give a multiple of 8"),
        ({"style_resolution": 128}, "style_resolution is 128; it must not be smaller"),
        ({"content_scale": (300, 200)}, "content_scale is .* smaller side first"),
        ({"content_scale": (8, 200)}, "content_scale is 8; give a value from 32"),
        ({"size_shares": (0.5, -0.1, 0.5)}, r"size_shares is -0\.1; give a value from 0 to 1"),
        ({"size_shares": (0.0, 0.0, 0.0)}, "size_shares is .*; give at least one size a share above 0"),
    ],
)
def test_nonsense_is_refused(values: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrainOptions(**values)


def test_weights_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"style is -1\.0; give a value from 0 to 1000"):
        LossWeights(style=-1.0)


def test_late_crops_that_never_come_need_not_fit() -> None:
    assert TrainOptions(late_from=1.0, late_resolution=512, style_resolution=128).resolution_at(10**9) == 128


def test_gram_and_mean_std_share_the_weight_of_style():
    weights = LossWeights(style=3.0)
    assert weights.factor("mean_std") == 2 * weights.style
    assert weights.factor("gram") == weights.style


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("resolution", [32, 64, 200, 512])
def test_every_resolution_makes_valid_options(mode, resolution):
    options = TrainOptions.for_mode(mode, **sized(mode, resolution))
    assert options.resolution == resolution <= options.late_resolution
    assert options.style_resolution >= options.resolution


@pytest.mark.parametrize("mode", MODES)
def test_a_modes_own_resolution_changes_nothing(mode):
    defaults = TrainOptions.for_mode(mode)
    assert TrainOptions.for_mode(mode, **sized(mode, defaults.resolution)) == defaults
