"""The trainer: learns, resumes bit for bit, sends gradients where they belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from brushwork.models import StyleGAN, StyleGANConfig
from brushwork.training.options import TrainOptions
from brushwork.training.run import CHECKPOINT_FILE, LOG_FILE, STATE_FILE, Run, fit_style_space
from brushwork.training.state import pack, read_state
from brushwork.training.trainer import Trainer, TrainingError

TINY = StyleGANConfig(
    fine_channels=16, coarse_channels=16, code_dim=32, coarse_blocks=1, fine_blocks=1, mapping_hidden=16
)


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_few_steps_lower_the_loss(photos: list[Path], paintings: list[Path], small: TrainOptions) -> None:
    options = replace(
        small, steps=40, batch=3, late_from=1.0, adversarial_from=1.0, round_steps=1000, identity_share=0.34
    )
    trainer = Trainer(options, photos, paintings, config=TINY)
    totals = [trainer.train_step()["total"] for _ in range(40)]
    assert sum(totals[-10:]) < 0.6 * sum(totals[:10])


def test_every_phase_runs_and_d_trains_only_after_the_warm_up(
    photos: list[Path], paintings: list[Path], small: TrainOptions
) -> None:
    trainer = Trainer(small, photos, paintings, config=TINY)
    before = {k: v.clone() for k, v in trainer.discriminator.named_parameters()}
    names = []
    for _ in range(small.steps):
        names.append(set(trainer.train_step()))
        if trainer.step == 3:
            after_warm_up = {k: v.clone() for k, v in trainer.discriminator.named_parameters()}
    perceptual = {
        "content",
        "gram",
        "mean_std",
        "colour",
        "tv",
        "range",
        "identity",
        "code",
        "total",
    }
    assert names[:3] == [perceptual] * 3
    assert names[3:] == [perceptual | {"adversarial", "d_real", "d_fake"}] * 3
    assert equal(before, after_warm_up)
    assert not equal(before, dict(trainer.discriminator.named_parameters()))
    assert trainer.content_pool.crops.shape[-1] == 48, "the late crops were never cut"


def test_gradients_reach_the_network_and_nothing_else(
    photos: list[Path], paintings: list[Path], small: TrainOptions
) -> None:
    trainer = Trainer(small, photos, paintings, config=TINY)
    ema = {k: v.clone() for k, v in trainer.ema.state_dict().items()}
    # The mapping's last layer starts at zero: what lies before it hears something from the second step on.
    for _ in range(2):
        trainer.train_step()
    silent = [n for n, p in trainer.gan.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent
    for network in (trainer.loss_network, trainer.ema, trainer.discriminator):
        assert all(p.grad is None for p in network.parameters())
    assert not equal(ema, trainer.ema.state_dict()), "the average did not move"


def test_resuming_is_exact(
    photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
) -> None:
    whole = Trainer(small, photos, paintings, config=TINY)
    values = [whole.train_step() for _ in range(small.steps)]

    first = Trainer(small, photos, paintings, config=TINY)
    for _ in range(4):
        first.train_step()
    first.save_state(tmp_path / "state")
    second = Trainer(small, photos, paintings, config=TINY)
    second.load_state(tmp_path / "state")
    assert second.step == 4
    assert [second.train_step() for _ in range(2)] == values[4:]
    assert equal(pack(whole._parts()), pack(second._parts()))


def test_starting_from_a_network_leaves_it_alone_and_is_remembered(
    photos: list[Path], paintings: list[Path], small: TrainOptions, gan: StyleGAN, tmp_path: Path
) -> None:
    before = {k: v.clone() for k, v in gan.state_dict().items()}
    trainer = Trainer(small, photos, paintings, start=gan)
    assert equal(trainer.gan.state_dict(), before)
    assert equal(trainer.ema.state_dict(), before)
    # The shipped network knows its trade: an untrained one begins with several times its loss.
    untrained = Trainer(small, photos, paintings).train_step()["total"]
    assert trainer.train_step()["total"] < 0.5 * untrained
    assert not equal(trainer.gan.state_dict(), before)
    assert equal(gan.state_dict(), before)
    assert not any(p.requires_grad for p in gan.parameters())
    assert gan.space is not None

    trainer.save_state(tmp_path / "state")
    resumed = Trainer(small, photos, paintings)
    resumed.load_state(tmp_path / "state")
    record = Run(resumed, tmp_path, [], []).record()
    assert record["started_from"] == gan.training_record


def test_seed_decides(photos: list[Path], paintings: list[Path], small: TrainOptions) -> None:
    def first(seed: int) -> dict[str, float]:
        return Trainer(replace(small, seed=seed), photos, paintings, config=TINY).train_step()

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_no_pictures_and_broken_losses_end_in_a_sentence(
    photos: list[Path], paintings: list[Path], small: TrainOptions
) -> None:
    with pytest.raises(TrainingError, match="There are 0 photos"):
        Trainer(small, [], paintings, config=TINY)
    trainer = Trainer(small, photos, paintings, config=TINY)
    with torch.no_grad():
        trainer.gan.generator.head.bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match="The loss is nan at step 0; resume with a lower lr"):
        trainer.train_step()


def test_run_writes_log_sheet_state_and_a_usable_checkpoint(
    photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
) -> None:
    trainer = Trainer(small, photos, paintings, config=TINY)
    run = Run(trainer, tmp_path, photos[:1], paintings[:2], save_minutes=60, log_every=3)
    assert run.train()
    run.finish()
    lines = [json.loads(line) for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert [line["step"] for line in lines] == [3, 6]
    assert "adversarial" in lines[1]
    assert "adversarial" not in lines[0]
    assert (tmp_path / "sheet_000006.jpg").stat().st_size > 1000
    assert not list(tmp_path.glob("*.part"))
    gan = StyleGAN.load(tmp_path / CHECKPOINT_FILE)
    assert gan.training_record["steps"] == 6
    assert gan.sample_style(seed=1, count=2).shape == (2, TINY.layers, TINY.code_dim)


def test_style_space_needs_two_paintings(gan: StyleGAN, paintings: list[Path]) -> None:
    assert fit_style_space(gan, paintings[:1], side=64) is None
    assert fit_style_space(gan, paintings[:2], side=64).count == 2


KILLABLE_RUN = """
import json, sys
from pathlib import Path
from brushwork.models import StyleGANConfig
from brushwork.training.options import TrainOptions
from brushwork.training.run import Run, STATE_FILE
from brushwork.training.trainer import Trainer

task = json.loads(sys.argv[1])
photos, paintings = ([Path(p) for p in task[k]] for k in ("photos", "paintings"))
options, config = TrainOptions.from_dict(task["options"]), StyleGANConfig(**task["config"])
trainer = Trainer(options, photos, paintings, config)
run = Run(trainer, Path(task["out"]), photos[:1], paintings[:1], save_minutes=0)
if (run.out / STATE_FILE).exists():
    trainer.load_state(run.out / STATE_FILE)
run.train()
"""


def test_training_survives_sigkill(
    photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
) -> None:
    """Killed with -9 while it saves after every step, a run is resumed and ends in the very same bits."""
    options = replace(small, steps=12)

    def start(out: Path) -> subprocess.Popen[bytes]:
        task = {
            "photos": [str(p) for p in photos],
            "paintings": [str(p) for p in paintings],
            "options": options.as_dict(),
            "config": asdict(TINY),
            "out": str(out),
        }
        command = [sys.executable, "-c", KILLABLE_RUN, json.dumps(task)]
        return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert start(whole).wait() == 0

    process = start(cut)
    deadline = time.monotonic() + 120
    while not ((cut / STATE_FILE).exists() and read_state(cut / STATE_FILE)[1]["step"] >= 3):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert read_state(cut / STATE_FILE)[1]["step"] < 12, "the run ended before it could be killed"

    assert start(cut).wait() == 0
    expected, found = read_state(whole / STATE_FILE), read_state(cut / STATE_FILE)
    assert found[1]["step"] == 12
    assert equal(expected[0], found[0])
