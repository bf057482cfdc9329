"""Training survives trouble: no pictures, steps that are not finite, and too little memory."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from network_weights import equal
from tiny_network import TINY
from training_states import read_state

from brushwork.models.style_gan import StyleGAN
from brushwork.training.options import LossWeights, TrainOptions
from brushwork.training.state import pack
from brushwork.training.trainer import Diverged, Trainer, TrainingError

pytestmark = pytest.mark.usefixtures("slim_loss_network")


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

        with torch.no_grad():
            bias.copy_(good)
        trainer.save_state(tmp_path / "state")
        trainer.train_step()
        assert (trainer.rate_factor, trainer.bad_in_row) == (0.5, 0), "the row is not broken"

        resumed = Trainer(replace(small, bad_steps=3), photos, paintings, config=TINY)
        resumed.load_state(tmp_path / "state")
        assert (resumed.rate_factor, resumed.bad_in_row) == (0.5, 1)
        with torch.no_grad():
            resumed.painter.gan.generator.head.bias.fill_(float("inf"))
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
        self, photos: list[Path], paintings: list[Path], tmp_path: Path
    ) -> None:
        """A real one: the process may not have more than 120 MB beyond what it holds."""
        StyleGAN(TINY).save(tmp_path / "tiny.safetensors")
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
