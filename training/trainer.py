"""The trainer: alternating Adam steps of painter and discriminator, which resume bit for bit.

Every random choice of a step comes from (seed, step), so the state of a run is its weights, its
optimisers and a few numbers.
"""

from __future__ import annotations

import copy
import gc
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ..base.counts import counted
from ..base.excerpt import value_excerpt
from ..models.config import StyleGANConfig
from ..models.devices import own_defaults
from ..models.discriminator import Discriminator
from ..models.memory import is_out_of_memory, release_cache
from ..models.perception.vgg import LossNetwork, loss_dtype
from ..models.style_gan import StyleGAN
from ..pictures.reading import Picture
from .crops import Batch, CropSource
from .losses import Parts
from .options import TrainOptions
from .painter import Painter, copy_network, mean_code
from .processes import OneProcess, Processes
from .state import open_state, pack, progress_problem, shapes, unpack, write_state
from .step import BatchGradients


class TrainingError(RuntimeError):
    """Training cannot go on; the message is one sentence for the user."""


class Diverged(TrainingError):
    """Too many steps in a row had a loss that is not finite."""


class Trainer:
    """Trains a `Painter` on photos and paintings.

        trainer = Trainer(options, photos, paintings, start=gan)
        while trainer.step < options.steps:
            values = trainer.train_step()

    `ema` is the painter to use: the moving average of `painter`. If a caller has switched gradients off,
    call all of it inside `torch.inference_mode(False)` and `torch.enable_grad()`.
    """

    @own_defaults()
    def __init__(
        self,
        options: TrainOptions,
        photos: Sequence[Picture],
        paintings: Sequence[Picture],
        config: StyleGANConfig | None = None,
        device: torch.device | str = "cpu",
        say: Callable[[str], None] = lambda text: None,
        start: StyleGAN | None = None,
        processes: Processes | None = None,
    ):
        """`start` is a network to go on from; it stays as it is.

        From scratch, an untrained network of `config` can begin instead. Each of several `processes` takes
        its part of every batch.
        """
        if not photos or not paintings:
            found = f"{counted(len(photos), 'photo')} and {counted(len(paintings), 'painting')}"
            raise TrainingError(f"There are {found} to train on; give at least one of each.")
        if start is None and options.mode != "from_scratch":
            raise TrainingError(f"The mode {options.mode} needs a trained network to start from; give one.")
        self.options, self.photos, self.paintings = options, list(photos), list(paintings)
        self.device, self.say, self.step = torch.device(device), say, 0
        self.processes = processes or OneProcess()
        self.micro_batch = share_of_batch(options.batch_size, self.processes.world)
        self.rate_factor, self.bad_in_row = 1.0, 0

        # The painter, its moving average and its optimiser.
        torch.manual_seed(options.seed)
        self.painter = self._make_painter(start, config)
        self.ancestor = start.training_record if start else None
        self.ema = copy.deepcopy(self.painter).eval().requires_grad_(False)
        # Betas 0.9/0.99: the losses are dense and smooth. StyleGAN's 0/0.99 is for a GAN without such losses.
        # Fused: one pass over weights and averages, without a launch for each tensor.
        fused = self.device.type == "cuda"
        self.opt_g = torch.optim.Adam(self._groups(), options.lr, betas=(0.9, 0.99), fused=fused)

        # D, if the mode uses one.
        self.discriminator: Discriminator | None = None
        if options.uses_discriminator:
            self.discriminator = Discriminator().to(self.device).to(memory_format=torch.channels_last)
            learning = self.discriminator.parameters()
            self.opt_d = torch.optim.Adam(learning, options.lr_d, betas=(0.5, 0.99), fused=fused)

        # The crops, and the loss network that compares pictures with them.
        dtype = loss_dtype(options.loss_dtype, self.device)
        self.loss_network = LossNetwork(dtype=dtype).to(self.device)
        self.crops = CropSource(options, self.photos, self.paintings, self.loss_network, self.device, say)
        self.gradients = BatchGradients(
            options, self.painter, self.discriminator, self.loss_network, self.crops, self.processes
        )

    def _make_painter(self, start: StyleGAN | None, config: StyleGANConfig | None) -> Painter:
        mode = self.options.mode
        gan = (copy_network(start) if start else StyleGAN(config)).to(self.device)
        if mode == "from_scratch":
            # What is known of the codes moves with the encoder; `Run` fits it anew.
            gan.space = None
            gan.set_colors(None)
            return Painter(gan, mode).to(self.device)
        return Painter(gan, mode, mean_code(gan, self.paintings)).to(self.device)

    def _groups(self) -> list[dict[str, Any]]:
        """The painter's parameters, in their order: the learned code with its own rate, then the rest."""
        code = self.painter.code
        network = [p for p in self.painter.learning() if p is not code]
        groups = [{"params": network, "factor": 1.0}] if network else []
        if code is None:
            return groups
        return [{"params": [code], "factor": self.options.code_rate}, *groups]

    # -- one step ------------------------------------------------------------------------------

    @own_defaults()
    def train_step(self) -> dict[str, float]:
        """One step of the painter and, once the adversarial ramp has begun, one of D.

        Returns the loss parts, without their weights. A step whose loss or gradient is not finite changes
        nothing except the rate, which it halves. Raises Diverged after `options.bad_steps` of them in a row.
        """
        batch = self.crops.batch(self.step, self.processes.rank, self.processes.world)
        losses = self._losses(batch)
        while losses is None:
            losses = self._losses(batch)
        values, finite = self._descend(losses)
        if finite:
            self._average()
            self.bad_in_row = 0
        else:
            self._skip(values)
        self.step += 1
        return values

    def _losses(self, batch: Batch) -> Parts | None:
        """The losses of the batch, with the gradients of painter and D.

        None if memory ran out; from then on the parts are half as large.
        """
        self._forget_gradients()
        losses = None
        try:
            losses = self.gradients.accumulate(batch, self.step, self.micro_batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if self.micro_batch == 1 or self.processes.world > 1:
                raise TrainingError(
                    "Memory ran out; give a smaller resolution, or a smaller batch_size for each process."
                ) from error
        if losses is None:
            self._halve()
        return losses

    def _halve(self) -> None:
        self._forget_gradients()
        gc.collect()
        release_cache(self.device)
        self.micro_batch = (self.micro_batch + 1) // 2
        self.say(
            f"memory ran out at step {self.step}: going on with {self.micro_batch} of "
            f"{counted(self.options.batch_size, 'picture')} at a time"
        )

    def _descend(self, losses: Parts) -> tuple[dict[str, float], bool]:
        """Both optimisers' steps, unless a number is not finite; returns the losses and whether it stepped.

        All numbers come from the device at once: it is the only time in a step that a GPU is waited for.
        """
        steps = [(self.opt_g, self.options.lr, self.painter.learning())]
        if self.discriminator is not None and "d_real" in losses:
            steps.append((self.opt_d, self.options.lr_d, list(self.discriminator.parameters())))
        norms = [torch.nn.utils.clip_grad_norm_(p, self.options.clip) for _, _, p in steps]
        numbers: list[float] = torch.stack([*losses.values(), *norms]).tolist()
        values = dict(zip(losses, numbers[: len(losses)], strict=True))
        if not all(map(math.isfinite, numbers)):
            return values, False
        rate = self.options.rate_at(self.step) * self.rate_factor
        for optimizer, lr, _ in steps:
            for group in optimizer.param_groups:
                group["lr"] = lr * rate * group.get("factor", 1.0)
            optimizer.step()
        return values, True

    def _skip(self, values: dict[str, float]) -> None:
        self.bad_in_row += 1
        self.rate_factor /= 2
        self.say(f"step {self.step} skipped: its loss is {values['total']}; the learning rate is halved")
        if self.bad_in_row >= self.options.bad_steps:
            raise Diverged(
                f"The loss was not finite in {counted(self.bad_in_row, 'step')} in a row, up to step "
                f"{self.step}; use the best weights so far, or train with a lower lr."
            )

    @torch.no_grad()
    def _average(self) -> None:
        """EMA of the weights, with a shorter memory at the start (Yaz et al. 2019 as in practice)."""
        keep = min(self.options.ema, (1 + self.step) / (10 + self.step))
        both = zip(self.ema.parameters(), self.painter.parameters(), strict=True)
        means, values = zip(*((mean, value) for mean, value in both if value.requires_grad), strict=True)
        torch._foreach_lerp_(means, values, 1 - keep)

    def _forget_gradients(self) -> None:
        for parameter in self.gradients.learning():
            parameter.grad = None

    # -- state ---------------------------------------------------------------------------------

    def parts(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer]:
        """Everything that has a state, by its name in the file."""
        parts: dict[str, torch.nn.Module | torch.optim.Optimizer] = {
            "painter": self.painter,
            "ema": self.ema,
            "opt_g": self.opt_g,
        }
        if self.discriminator is not None:
            parts |= {"discriminator": self.discriminator, "opt_d": self.opt_d}
        return parts

    def save_state(self, path: Path, progress: dict[str, Any] | None = None) -> None:
        """Write all that is needed to go on, whole or not at all; `progress` is the caller's own."""
        header = {
            "step": self.step,
            "options": self.options.as_dict(),
            "ancestor": self.ancestor,
            "micro_batch": self.micro_batch * self.processes.world,
            "rate_factor": self.rate_factor,
            "bad_in_row": self.bad_in_row,
            "progress": progress or {},
        }
        write_state(path, pack(self.parts()), header)

    @own_defaults()
    def load_state(self, path: Path) -> dict[str, Any]:
        """Go on from `save_state` with this trainer's options and the file's step.

        Returns the saved `progress`. Raises TrainingError if the state belongs to another kind of run.
        """
        other = TrainingError(
            f"The run in {path.parent.name} has another network or other losses; "
            "begin a new run under another name."
        )
        with open_state(path) as (file, header):
            if problem := progress_problem(header):
                raise TrainingError(f"{path} is damaged: {problem}; begin a new run.")
            mode = header["options"].get("mode")
            if mode != self.options.mode:
                raise TrainingError(
                    f"The run in {path.parent.name} was trained in the mode {value_excerpt(mode)}, not "
                    f"{self.options.mode}; give that mode, or another name for this run."
                )
            # Do the tensors fit? Nothing has been read of them so far.
            expected = shapes(self.parts())
            if any(expected.get(name) != facts.shape for name, facts in file.facts.items()):
                raise other
            tensors = file.tensors()
        # Put them into the networks and the optimisers, if they are usable.
        for name, tensor in tensors.items():
            if not torch.isfinite(tensor.float()).all():
                raise TrainingError(
                    f"{path} cannot be resumed: '{name}' has values that are not finite; begin a new run "
                    "with its best network or style."
                )
        try:
            unpack(self.parts(), tensors)
        except (RuntimeError, KeyError, ValueError) as error:
            raise other from error
        # The rest of the state is numbers.
        self.step, self.ancestor = header["step"], header.get("ancestor")
        self.rate_factor, self.bad_in_row = header["rate_factor"], header["bad_in_row"]
        self.micro_batch = max(1, min(header["micro_batch"], self.options.batch_size) // self.processes.world)
        progress: dict[str, Any] = header["progress"]
        return progress


def share_of_batch(batch_size: int, world: int) -> int:
    """The pictures of every batch that each of `world` processes works on. Raises TrainingError."""
    if batch_size % world:
        raise TrainingError(
            f"batch_size is {batch_size}, which {world} processes cannot share evenly; give a multiple."
        )
    return batch_size // world
