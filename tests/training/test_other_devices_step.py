"""A training step and its validation on a device that lacks what Apple's GPU lacks."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from emulated_device import NO_FLOAT64, OnDevice, emulated_device
from small_run import SMALL

from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.training import validation
from brushwork.training.options import TrainOptions
from brushwork.training.trainer import Trainer
from brushwork.training.validation import Scores, Validation

pytestmark = pytest.mark.usefixtures("small_validation", "slim_loss_network")

TINY = StyleGANConfig(8, 8, 16, 2, 1, 8, 8, 1, 2, 2, 4, 8)


@pytest.fixture(scope="module")
def pictures(photos: list[Path], paintings: list[Path]) -> tuple[list[Path], list[Path]]:
    return photos[:1], paintings[:1]


def trained(
    mode: str, small: TrainOptions, pictures: tuple[list[Path], list[Path]], device: torch.device | str
) -> tuple[dict[str, float], Scores, Trainer]:
    """The losses of the last of three steps, and the scores after it."""
    torch.manual_seed(4)
    start = None if mode == "from_scratch" else StyleGAN(TINY).eval().requires_grad_(False)
    options = TrainOptions.from_dict(small.as_dict() | {"mode": mode})
    trainer = Trainer(options, *pictures, TINY, device, start=start)
    for _ in range(3):
        values = trainer.train_step()
    scored = Validation(*pictures, pictures[1], trainer.loss_network, options, trainer.device)
    return values, scored.score(trainer.ema), trainer


@pytest.fixture(scope="module")
def on_the_cpu(pictures, small_validation, slim_loss_network):
    """The losses and scores of a mode, trained once for all tests."""

    @functools.cache
    def found(mode):
        return trained(mode, SMALL, pictures, "cpu")[:2]

    return found


@pytest.mark.parametrize("mode", ["fine_tune", "style_code", "from_scratch"])
def test_losses_and_scores_are_the_cpus(mode, small, pictures, on_the_cpu, tmp_path):
    values, scores = on_the_cpu(mode)
    with emulated_device() as device:
        found, found_scores, trainer = trained(mode, small, pictures, device)
        assert all(isinstance(p, OnDevice) for p in trainer.painter.parameters())
        trainer.save_state(tmp_path / "state.safetensors")
        assert trainer.load_state(tmp_path / "state.safetensors") == {}
    assert found == pytest.approx(values, rel=5e-3, abs=1e-4)
    assert found_scores.as_dict() == pytest.approx(scores.as_dict(), rel=5e-3)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_another_packs_defaults_change_nothing(small, pictures, on_the_cpu, device):
    values, scores = on_the_cpu("fine_tune")
    start = StyleGAN(TINY).eval().requires_grad_(False)
    try:
        torch.set_default_dtype(torch.float64 if device == "cpu" else torch.float16)
        torch.set_default_device(device)
        found, found_scores, _ = trained("fine_tune", small, pictures, "cpu")
        assert next(StyleGAN(TINY).parameters()).dtype == next(start.parameters()).dtype
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    assert found == values
    assert found_scores == scores


def test_a_double_in_validation_is_found(small, pictures, monkeypatch):
    exact = validation.content_loss
    monkeypatch.setattr(validation, "content_loss", lambda *given: exact(*given).double())
    with emulated_device() as device, pytest.raises(TypeError, match=NO_FLOAT64):
        trained("fine_tune", small, pictures, device)
