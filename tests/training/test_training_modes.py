"""What each mode of training moves, and the network that it starts from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from network_weights import copied, equal
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN
from brushwork.models.style_space import StyleSpace
from brushwork.pictures.tensors import load_square
from brushwork.training.options import TrainOptions
from brushwork.training.painter import ENCODE_SIDE
from brushwork.training.trainer import Trainer, TrainingError

pytestmark = pytest.mark.usefixtures("slim_loss_network")


def load(path: Path) -> torch.Tensor:
    return load_square(path, ENCODE_SIDE)


@pytest.fixture(scope="module")
def tiny() -> StyleGAN:
    """An untrained network with a style space. Shared: tests must not change it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        gan = StyleGAN(TINY).eval().requires_grad_(False)
        gan.space = StyleSpace.fit(torch.randn(40, TINY.layers, TINY.code_dim), rank=8)
    return gan


class TestModes:
    def run(self, mode: str, photos: list[Path], paintings: list[Path], tiny: StyleGAN) -> Trainer:
        options = TrainOptions.for_mode(
            mode,
            {"code": 0.1},
            steps=4,
            batch_size=2,
            warmup=1,
            late_from=1.0,
            resolution=48,
            style_resolution=64,
            variants=2,
            adversarial_from=0.25,
            adversarial_ramp=0.25,
            loss_dtype="float32",
        )
        trainer = Trainer(options, photos, paintings, start=tiny)
        for _ in range(4):
            values = trainer.train_step()
            assert all(math.isfinite(v) for v in values.values())
        return trainer

    def moved(self, trainer: Trainer, tiny: StyleGAN) -> set[str]:
        """Which of the three networks differ from those of `tiny`."""
        parts = ("content_encoder", "style_encoder", "generator")
        own = trainer.painter.gan
        return {n for n in parts if not equal(copied(getattr(own, n)), copied(getattr(tiny, n)))}

    def test_style_code_moves_the_code_alone(
        self, photos: list[Path], paintings: list[Path], tiny: StyleGAN
    ) -> None:
        trainer = self.run("style_code", photos, paintings, tiny)
        assert not self.moved(trainer, tiny)
        assert trainer.discriminator is None
        start = torch.cat([tiny.encode_style(load(p)) for p in paintings]).mean(0, keepdim=True)
        assert 0.005 < (trainer.painter.code - start).abs().mean() < 0.5
        assert not torch.equal(trainer.ema.code, start)

    def test_fine_tune_moves_generator_and_code_and_leaves_the_encoders(
        self, photos: list[Path], paintings: list[Path], tiny: StyleGAN
    ) -> None:
        trainer = self.run("fine_tune", photos, paintings, tiny)
        assert self.moved(trainer, tiny) == {"generator"}
        # The distribution of the codes is still that of the encoder.
        assert torch.equal(trainer.ema.gan.space.mean, tiny.space.mean)
        start = torch.cat([tiny.encode_style(load(p)) for p in paintings]).mean(0, keepdim=True)
        assert not torch.equal(trainer.painter.code, start)

    def test_the_learned_style_has_a_rate_of_its_own(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions, tiny: StyleGAN
    ) -> None:
        def steps(code_rate: float) -> tuple[float, float]:
            """How far code and generator move in a step; Adam's first is the rate itself."""
            options = replace(
                small, mode="fine_tune", batch_size=8, code_rate=code_rate, warmup=1, lr=1e-4, clip=1e6
            )
            trainer = Trainer(options, photos, paintings, start=tiny)
            before = trainer.painter.code.detach().clone()
            head = trainer.painter.gan.generator.head.weight.detach().clone()
            trainer.train_step()
            moved = (trainer.painter.code - before).abs().max()
            return moved.item(), (trainer.painter.gan.generator.head.weight - head).abs().max().item()

        assert steps(1.0) == pytest.approx((1e-4, 1e-4), rel=0.05)
        assert steps(10.0) == pytest.approx((1e-3, 1e-4), rel=0.05)
        assert steps(0.0) == pytest.approx((0.0, 1e-4), rel=0.05)

    def test_from_scratch_moves_everything(
        self, photos: list[Path], paintings: list[Path], tiny: StyleGAN
    ) -> None:
        trainer = self.run("from_scratch", photos, paintings, tiny)
        assert self.moved(trainer, tiny) == {"content_encoder", "style_encoder", "generator"}
        assert trainer.painter.code is None

    @pytest.mark.parametrize("mode", ["style_code", "fine_tune"])
    def test_a_network_to_start_from_is_needed(
        self, mode: str, photos: list[Path], paintings: list[Path]
    ) -> None:
        with pytest.raises(TrainingError, match=f"The mode {mode} needs a trained network"):
            Trainer(TrainOptions.for_mode(mode), photos, paintings)

    def test_starting_from_a_network_leaves_it_alone_and_is_remembered(
        self,
        photos: list[Path],
        paintings: list[Path],
        small: TrainOptions,
        gan: StyleGAN,
        tmp_path: Path,
    ) -> None:
        before = copied(gan)
        trainer = Trainer(small, photos, paintings, start=gan)
        # All but what is fitted at the end of a run.
        weights = {name: value for name, value in before.items() if not name.startswith("generator.colors.")}
        assert len(weights) == len(before) - 2
        assert equal(copied(trainer.painter.gan), weights)
        assert equal(copied(trainer.ema.gan), weights)
        # The shipped network knows its trade: an untrained one begins with several times its loss.
        untrained = Trainer(small, photos, paintings).train_step()["total"]
        assert trainer.train_step()["total"] < 0.5 * untrained
        assert not equal(copied(trainer.painter.gan), weights)
        assert equal(copied(gan), before)
        assert not any(p.requires_grad for p in gan.parameters())
        assert gan.space is not None

        trainer.save_state(tmp_path / "state")
        resumed = Trainer(small, photos, paintings)
        resumed.load_state(tmp_path / "state")
        assert resumed.ancestor == gan.training_record

    def test_works_where_the_caller_is_in_inference_mode(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions, tiny: StyleGAN, tmp_path: Path
    ) -> None:
        """As in ComfyUI: the network's own tensors are inference tensors, which autograd refuses."""
        tiny.save(tmp_path / "tiny.safetensors")
        with torch.inference_mode():
            gan = StyleGAN.load(tmp_path / "tiny.safetensors")
            assert all(p.is_inference() for p in gan.parameters())
            with torch.inference_mode(False), torch.enable_grad():
                trainer = Trainer(replace(small, mode="fine_tune"), photos, paintings, start=gan)
                for _ in range(small.steps):
                    trainer.train_step()
            assert not any(p.is_inference() for p in trainer.ema.parameters())
            assert trainer.step == small.steps
