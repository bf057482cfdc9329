"""The trainer: learns, sends gradients where they belong, resumes bit for bit."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
from network_weights import copied, equal
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN
from brushwork.training.options import LossWeights, TrainOptions
from brushwork.training.state import pack
from brushwork.training.trainer import Trainer, TrainingError

pytestmark = pytest.mark.usefixtures("slim_loss_network")

BY_SIZE = {"gram_whole", "gram_half", "gram_quarter"}
PERCEPTUAL = BY_SIZE | {
    "steady",
    "grid",
    "content",
    "gram",
    "mean_std",
    "energy",
    "colour",
    "tv",
    "ground",
    "range",
    "identity",
    "code",
    "total",
}


class TestLearning:
    def test_a_few_steps_lower_the_loss(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        options = replace(
            small,
            steps=16,
            batch_size=2,
            late_from=1.0,
            adversarial_from=1.0,
            round_steps=1000,
        )
        trainer = Trainer(options, photos, paintings, config=TINY)
        totals = [trainer.train_step()["total"] for _ in range(16)]
        assert sum(totals[-4:]) < 0.6 * sum(totals[:4]), totals

    def test_every_phase_runs_and_d_trains_only_after_the_warm_up(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        trainer = Trainer(small, photos, paintings, config=TINY)
        before = copied(trainer.discriminator)
        names = []
        for _ in range(small.steps):
            names.append(set(trainer.train_step()))
            if trainer.step == 3:
                after_warm_up = copied(trainer.discriminator)
        assert names[:3] == [PERCEPTUAL] * 3
        assert names[3:] == [PERCEPTUAL | {"adversarial", "d_real", "d_fake"}] * 3
        # Every loss is weighed, and every weight has its loss.
        weights = [field.name for field in fields(LossWeights) if field.name != "style"]
        unweighed = BY_SIZE | {"total", "d_real", "d_fake"}
        assert {*names[5], *names[4]} - unweighed == {*weights, "gram", "mean_std"}
        assert equal(before, after_warm_up)
        assert not equal(before, copied(trainer.discriminator))
        assert trainer.crops.content_pool.crops.shape[-1] == 48, "the late crops were never cut"

    def test_gradients_reach_the_network_and_nothing_else(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        trainer = Trainer(small, photos, paintings, config=TINY)
        ema = copied(trainer.ema)
        # The mapping's last layer starts at zero: what lies before it hears nothing in the first step.
        for _ in range(2):
            trainer.train_step()
        gan = trainer.painter.gan
        silent = [n for n, p in gan.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert not silent
        for network in (trainer.loss_network, trainer.ema, trainer.discriminator):
            assert all(p.grad is None for p in network.parameters())
        assert not equal(ema, copied(trainer.ema)), "the average did not move"

    def test_the_steadiness_loss_compares_the_same_picture_on_two_grids(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions, gan: StyleGAN
    ) -> None:
        """It is small where the grids are the same, and its gradient makes the painting steadier."""
        options = replace(small, batch_size=2, late_from=1.0)
        trainer = Trainer(options, photos, paintings, start=gan)
        batch = trainer.crops.batch(0)
        down, right = ((batch.other_shift - batch.shift) % 4).tolist()
        assert down
        assert right
        shimmer = loss_of_two_grids(trainer, "steady")
        assert 0.005 < shimmer < 0.2

        options = replace(options, weights=alone("steady", 10.0), lr=2e-4, warmup=1)
        steadier = Trainer(options, photos, paintings, start=gan)
        for _ in range(4):
            steadier.train_step()
        assert loss_of_two_grids(steadier, "steady") < 0.9 * shimmer

    def test_the_grid_loss_takes_the_pattern_of_the_grid_away(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions, gan: StyleGAN
    ) -> None:
        options = replace(small, batch_size=2, late_from=1.0)
        pattern = loss_of_two_grids(Trainer(options, photos, paintings, start=gan), "grid")
        assert pattern > 1e-5

        # The network that ships has next to no pattern, so only small steps make it less.
        options = replace(options, weights=alone("grid", 1.0), lr=1e-5, warmup=1)
        cleaner = Trainer(options, photos, paintings, start=gan)
        for _ in range(2):
            cleaner.train_step()
        assert loss_of_two_grids(cleaner, "grid") < 0.9 * pattern

    def test_steadiness_is_left_out_without_a_weight_or_where_nothing_can_become_steadier(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        without = replace(small, weights=LossWeights(steady=0.0, grid=0.0))
        assert not {"steady", "grid"} & Trainer(without, photos, paintings, config=TINY).train_step().keys()
        code = TrainOptions.for_mode("style_code", steps=1, resolution=48, style_resolution=64, variants=1)
        found = Trainer(code, photos, paintings, start=StyleGAN(TINY)).train_step()
        assert not {"steady", "grid"} & found.keys()

    def test_seed_decides(self, photos: list[Path], paintings: list[Path], small: TrainOptions) -> None:
        def first(seed: int) -> dict[str, float]:
            return Trainer(replace(small, seed=seed), photos, paintings, config=TINY).train_step()

        assert first(1) == first(1)
        assert first(1) != first(2)


def alone(name: str, weight: float) -> LossWeights:
    """All weights 0 but one."""
    return LossWeights(**dict.fromkeys(asdict(LossWeights()), 0.0) | {name: weight})


def loss_of_two_grids(trainer: Trainer, name: str) -> float:
    """The loss of that name of the first crops; it is nothing where both pictures have the same grid."""
    batch = trainer.crops.batch(0)
    same = trainer.gradients.accumulate(replace(batch, other_shift=batch.shift), 0, 2)[name]
    assert same < 1e-5
    return trainer.gradients.accumulate(batch, 0, 2)[name]


class TestState:
    @pytest.mark.parametrize("mode", ["from_scratch", "fine_tune", "style_code"])
    def test_resuming_is_exact(
        self, mode: str, photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
    ) -> None:
        options = replace(small, mode=mode)
        start = StyleGAN(TINY)
        whole = Trainer(options, photos, paintings, start=start)
        for _ in range(4):
            whole.train_step()
        whole.save_state(tmp_path / "state", {"mine": [0.1]})
        values = [whole.train_step() for _ in range(2)]

        second = Trainer(options, photos, paintings, start=start)
        assert second.load_state(tmp_path / "state") == {"mine": [0.1]}
        assert second.step == 4
        assert [second.train_step() for _ in range(2)] == values
        assert equal(pack(whole.parts()), pack(second.parts()))

    def test_another_runs_state_is_refused_in_a_sentence(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
    ) -> None:
        Trainer(small, photos, paintings, config=TINY).save_state(tmp_path / "state")
        tuning = Trainer(replace(small, mode="fine_tune"), photos, paintings, start=StyleGAN(TINY))
        with pytest.raises(
            TrainingError, match="trained in the mode 'from_scratch', not fine_tune; give that"
        ):
            tuning.load_state(tmp_path / "state")
        wider = Trainer(small, photos, paintings, config=replace(TINY, fine_channels=24))
        with pytest.raises(TrainingError, match="has another network or other losses"):
            wider.load_state(tmp_path / "state")
