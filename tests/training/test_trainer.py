"""The trainer: learns, resumes bit for bit, sends gradients where they belong, survives trouble."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
import torch
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN
from brushwork.models.style_space import StyleSpace
from brushwork.pictures.tensors import load_square
from brushwork.training.options import LossWeights, TrainOptions
from brushwork.training.painter import ENCODE_SIDE
from brushwork.training.state import pack, read_state
from brushwork.training.trainer import Diverged, Trainer, TrainingError

BY_SIZE = {"gram_whole", "gram_half", "gram_quarter"}
PERCEPTUAL = BY_SIZE | {
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


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.detach().clone() for k, v in module.state_dict().items()}


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


class TestLearning:
    def test_a_few_steps_lower_the_loss(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        options = replace(
            small,
            steps=24,
            batch_size=3,
            late_from=1.0,
            adversarial_from=1.0,
            round_steps=1000,
            identity_share=0.34,
        )
        trainer = Trainer(options, photos, paintings, config=TINY)
        totals = [trainer.train_step()["total"] for _ in range(24)]
        assert sum(totals[-6:]) < 0.6 * sum(totals[:6]), totals

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
        # A quarter of the batch is painted twice: with two pictures, one in every second step.
        steady = [PERCEPTUAL, PERCEPTUAL | {"steady"}]
        assert names[:3] == [steady[step % 2] for step in range(3)]
        assert names[3:] == [steady[step % 2] | {"adversarial", "d_real", "d_fake"} for step in range(3, 6)]
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
        options = replace(small, batch_size=4, resolution=48, style_resolution=48, late_from=1.0)
        trainer = Trainer(options, photos, paintings, start=gan)
        batch = trainer.crops.batch(0)
        assert batch.steady_mask.tolist() == [True, False, False, False]
        down, right = ((batch.other_shift - batch.shift) % 4).tolist()
        assert down
        assert right
        shimmer = trainer.gradients.accumulate(batch, 0, 4)["steady"]
        same = trainer.gradients.accumulate(replace(batch, other_shift=batch.shift), 0, 4)["steady"]
        assert same < 1e-5
        assert 0.005 < shimmer < 0.2

        only = LossWeights(**dict.fromkeys(asdict(LossWeights()), 0.0) | {"steady": 10.0})
        steadier = Trainer(replace(options, weights=only, lr=1e-4, warmup=1), photos, paintings, start=gan)
        for _ in range(8):
            steadier.train_step()
        assert steadier.gradients.accumulate(steadier.crops.batch(0), 0, 4)["steady"] < 0.9 * shimmer

    def test_no_picture_is_painted_twice_for_nothing(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        without = replace(small, weights=LossWeights(steady=0.0))
        assert "steady" not in Trainer(without, photos, paintings, config=TINY).train_step()
        code = TrainOptions.for_mode("style_code", steps=1, resolution=48, style_resolution=64, variants=1)
        assert "steady" not in Trainer(code, photos, paintings, start=StyleGAN(TINY)).train_step()

    def test_seed_decides(self, photos: list[Path], paintings: list[Path], small: TrainOptions) -> None:
        def first(seed: int) -> dict[str, float]:
            return Trainer(replace(small, seed=seed), photos, paintings, config=TINY).train_step()

        assert first(1) == first(1)
        assert first(1) != first(2)


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
        assert equal(copied(trainer.painter.gan), before)
        assert equal(copied(trainer.ema.gan), before)
        # The shipped network knows its trade: an untrained one begins with several times its loss.
        untrained = Trainer(small, photos, paintings).train_step()["total"]
        assert trainer.train_step()["total"] < 0.5 * untrained
        assert not equal(copied(trainer.painter.gan), before)
        assert equal(copied(gan), before)
        assert not any(p.requires_grad for p in gan.parameters())
        assert gan.space is not None

        trainer.save_state(tmp_path / "state")
        resumed = Trainer(small, photos, paintings)
        resumed.load_state(tmp_path / "state")
        assert resumed.ancestor == gan.training_record

    def test_works_where_the_caller_is_in_inference_mode(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        """As in ComfyUI: the network's own tensors are inference tensors, which autograd refuses."""
        with torch.inference_mode():
            gan = StyleGAN.default()
            assert all(p.is_inference() for p in gan.parameters())
            with torch.inference_mode(False), torch.enable_grad():
                trainer = Trainer(replace(small, mode="fine_tune"), photos, paintings, start=gan)
                for _ in range(small.steps):
                    trainer.train_step()
            assert not any(p.is_inference() for p in trainer.ema.parameters())
            assert trainer.step == small.steps


class TestState:
    @pytest.mark.parametrize("mode", ["from_scratch", "fine_tune", "style_code"])
    def test_resuming_is_exact(
        self, mode: str, photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
    ) -> None:
        options = replace(small, mode=mode)
        start = StyleGAN(TINY)
        whole = Trainer(options, photos, paintings, start=start)
        values = [whole.train_step() for _ in range(options.steps)]

        first = Trainer(options, photos, paintings, start=start)
        for _ in range(4):
            first.train_step()
        first.save_state(tmp_path / "state", {"mine": [0.1]})
        second = Trainer(options, photos, paintings, start=start)
        assert second.load_state(tmp_path / "state") == {"mine": [0.1]}
        assert second.step == 4
        assert [second.train_step() for _ in range(2)] == values[4:]
        assert equal(pack(whole.parts()), pack(second.parts()))

    def test_another_runs_state_is_refused_in_a_sentence(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
    ) -> None:
        Trainer(small, photos, paintings, config=TINY).save_state(tmp_path / "state")
        tuning = Trainer(replace(small, mode="fine_tune"), photos, paintings, start=StyleGAN(TINY))
        with pytest.raises(TrainingError, match="trained in the mode from_scratch, not fine_tune; give that"):
            tuning.load_state(tmp_path / "state")
        wider = Trainer(small, photos, paintings, config=replace(TINY, fine_channels=24))
        with pytest.raises(TrainingError, match="has another network or other losses"):
            wider.load_state(tmp_path / "state")


class TestTrouble:
    def test_no_pictures(self, paintings: list[Path], small: TrainOptions) -> None:
        with pytest.raises(TrainingError, match="There are 0 photos"):
            Trainer(small, [], paintings, config=TINY)

    def test_a_step_that_is_not_finite_changes_nothing_but_the_rate(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions, tmp_path: Path
    ) -> None:
        said: list[str] = []
        trainer = Trainer(replace(small, bad_steps=3), photos, paintings, config=TINY, say=said.append)
        trainer.train_step()
        bias = trainer.painter.gan.generator.head.bias
        good = bias.detach().clone()
        with torch.no_grad():
            bias.fill_(float("inf"))
        before = pack(trainer.parts())
        values = trainer.train_step()
        assert not math.isfinite(values["total"])
        assert (trainer.step, trainer.rate_factor, trainer.bad_in_row) == (2, 0.5, 1)
        assert equal(pack(trainer.parts()), before)
        assert said[-1].startswith("step 1 skipped: its loss is")

        trainer.save_state(tmp_path / "state")
        with torch.no_grad():
            bias.copy_(good)
        trainer.train_step()
        assert (trainer.rate_factor, trainer.bad_in_row) == (0.5, 0), "the row is not broken"

        resumed = Trainer(replace(small, bad_steps=3), photos, paintings, config=TINY)
        resumed.load_state(tmp_path / "state")
        assert (resumed.rate_factor, resumed.bad_in_row) == (0.5, 1)
        resumed.train_step()
        with pytest.raises(Diverged, match="not finite in 3 steps in a row, up to step 3; use the best"):
            resumed.train_step()

    def test_parts_of_a_batch_add_up_to_the_whole(
        self, photos: list[Path], paintings: list[Path], small: TrainOptions
    ) -> None:
        # One thread adds up in the same order whatever the size of a part is: the untrained network is steep.
        torch.set_num_threads(1)
        # The contrastive loss sees fewer negatives in a part, so it is left out of the comparison.
        options = replace(small, batch_size=4, adversarial_from=0.0, weights=LossWeights(code=0.0))

        def gradients(micro_batch: int) -> tuple[dict[str, float], torch.Tensor]:
            trainer = Trainer(options, photos, paintings, config=TINY)
            # In training mode every forward pass moves spectral norm's power iteration on by one.
            trainer.discriminator.eval()
            losses = trainer.gradients.accumulate(trainer.crops.batch(0), 0, micro_batch)
            values = {name: float(loss) for name, loss in losses.items()}
            return values, torch.cat([p.grad.flatten() for p in trainer.gradients.learning()])

        whole, whole_gradients = gradients(4)
        for micro_batch in (3, 2, 1):
            values, found = gradients(micro_batch)
            assert values == pytest.approx(whole, rel=1e-4)
            assert (found - whole_gradients).norm() < 1e-4 * whole_gradients.norm()

    def test_running_out_of_memory_halves_the_batch_and_goes_on(
        self, photos: list[Path], paintings: list[Path], tiny: StyleGAN, tmp_path: Path
    ) -> None:
        """A real one: the process may not have more than 120 MB beyond what it holds."""
        tiny.save(tmp_path / "tiny.safetensors")
        task = {"photos": [str(p) for p in photos], "paintings": [str(p) for p in paintings]}
        task |= {"network": str(tmp_path / "tiny.safetensors")}
        command = [sys.executable, "-c", SHORT_OF_MEMORY, json.dumps(task | {"out": str(tmp_path / "state")})]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
        assert "memory ran out at step 1: going on with" in done.stdout
        header = read_state(tmp_path / "state")[1]
        assert header["step"] == 3
        assert 1 <= header["micro_batch"] <= 4


# oneDNN writes machine code into memory that it does not always check: short of memory, it can end a process.
SHORT_OF_MEMORY = """
import json, resource, sys
from pathlib import Path
import torch
torch.backends.mkldnn.enabled = False
from brushwork.models import StyleGAN
from brushwork.training.options import TrainOptions
from brushwork.training.trainer import Trainer

task = json.loads(sys.argv[1])
photos, paintings = ([Path(p) for p in task[k]] for k in ("photos", "paintings"))
options = TrainOptions.for_mode(
    "fine_tune", {"adversarial": 0.0}, steps=3, batch_size=8, resolution=64, style_resolution=64, variants=1,
    identity_share=0.0, loss_dtype="float32",
)
start = StyleGAN.load(task["network"])
trainer = Trainer(options, photos, paintings, start=start, say=lambda text: print(text, flush=True))
# A part of one picture takes no memory beyond the first step's, two take 25 MB, four 80, all eight 220.
trainer.micro_batch = 1
trainer.train_step()
trainer.micro_batch = 8
held = int(next(l for l in open("/proc/self/status") if l.startswith("VmSize")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (held + 120 * 10**6, resource.RLIM_INFINITY))
while trainer.step < options.steps:
    trainer.train_step()
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
trainer.save_state(Path(task["out"]))
"""
