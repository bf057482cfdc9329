"""The estimate of a dry run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_network import TINY

from brushwork.models import StyleGAN
from brushwork.training.options import TrainOptions
from brushwork.training.runs.plan import Phase, estimate, phases
from brushwork.training.trainer import Trainer, TrainingError

pytestmark = pytest.mark.usefixtures("quick_estimates", "slim_loss_network")


def test_phases_cover_the_run_and_agree_with_its_schedule(small: TrainOptions) -> None:
    for options in (small, TrainOptions(), TrainOptions.for_mode("fine_tune"), TrainOptions(steps=1)):
        steps = [(p.resolution, p.adversarial) for p in phases(options) for _ in range(p.steps)]
        expected = [(options.resolution_at(s), options.adversarial_at(s) > 0) for s in range(options.steps)]
        assert steps == expected
    code = TrainOptions.for_mode("style_code", steps=5)
    assert sum(phase.steps for phase in phases(code)) == 5
    assert not any(phase.adversarial for phase in phases(code))


def test_phases_of_a_kind_are_one_and_counted_once() -> None:
    # The late size is the early one; a style code has no discriminator that could join.
    halves = TrainOptions(steps=100, late_resolution=128, late_from=0.7, adversarial_from=0.4)
    assert phases(halves) == [Phase(40, 128, False), Phase(60, 128, True)]
    code = TrainOptions.for_mode("style_code", steps=100, adversarial_from=0.5)
    assert phases(code) == [Phase(100, 160, False)]


def test_measures_the_real_thing(photos: list[Path], paintings: list[Path], small: TrainOptions) -> None:
    gan, small = StyleGAN(TINY), replace(small, style_resolution=64, style_scale=(64, 80))
    found = estimate(small, photos, paintings, gan, torch.device("cpu"))
    assert list(found.seconds_per_step) == phases(small)
    assert all(seconds > 0 for seconds in found.seconds_per_step.values())
    assert found.seconds == sum(p.steps * s for p, s in found.seconds_per_step.items())
    trainer = Trainer(small, photos, paintings, start=gan)
    assert found.painter == sum(p.numel() for p in gan.parameters())
    assert found.discriminator == sum(p.numel() for p in trainer.discriminator.parameters())
    # Two crops of each of three photos at 48 px and of three paintings at 64 px, three bytes a pixel.
    assert found.crops == 2 * 3 * 3 * (48**2 + 64**2)
    assert found.memory is None or 50e6 < found.memory < 100e9


def test_a_part_of_the_batch_for_each_process(
    photos: list[Path], paintings: list[Path], small: TrainOptions
) -> None:
    gan = StyleGAN(TINY)
    options = replace(small, steps=1, batch_size=4)
    assert list(estimate(options, photos, paintings, gan, torch.device("cpu"), 4).seconds_per_step) == [
        Phase(1, 32, False)
    ]
    with pytest.raises(TrainingError, match="3 processes cannot share evenly"):
        estimate(options, photos, paintings, gan, torch.device("cpu"), 3)
