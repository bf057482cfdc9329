"""The trainer: alternating Adam steps of painter and discriminator, which resume bit for bit.

Every random choice of a step comes from (seed, step), so the state of a run is its weights, its
optimisers and a few numbers.
"""

from __future__ import annotations

import copy
import gc
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..models.discriminator import SCALES, Discriminator
from ..models.memory import is_out_of_memory
from ..models.passes import Trained
from ..models.perception.pixel_losses import ground_loss, range_loss, tv_loss
from ..models.perception.statistics import content_loss, gram_loss, mean_std_loss, style_statistics
from ..models.perception.vgg import CONTENT_LAYER, LossNetwork, fastest_loss_dtype, features_at_half
from ..models.style_gan import StyleGAN, StyleGANConfig
from ..pictures.reading import Picture
from . import losses
from .augment import diff_augment
from .crops import STEADY_SHARE, Batch, CropSource, count_at
from .losses import Parts
from .options import TrainOptions
from .painter import Painter, copy_network, mean_code
from .processes import OneProcess, Processes
from .state import pack, read_state, unpack, write_state

# The steadiness loss leaves this part of a crop's side out at each border: the reflection there depends on
# the shift.
STEADY_MARGIN = 12


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
            raise TrainingError(f"There are {len(photos)} photos and {len(paintings)} paintings to train on.")
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
        self.opt_g = torch.optim.Adam(self._groups(), options.lr, betas=(0.9, 0.99))

        # D, if the mode uses one.
        self.discriminator: Discriminator | None = None
        if options.uses_discriminator:
            self.discriminator = Discriminator().to(self.device).to(memory_format=torch.channels_last)
            self.opt_d = torch.optim.Adam(self.discriminator.parameters(), options.lr_d, betas=(0.5, 0.99))

        # The crops, and the loss network that compares pictures with them.
        dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        dtype = dtypes.get(options.loss_dtype, fastest_loss_dtype(self.device))
        self.loss_network = LossNetwork(dtype=dtype).to(self.device)
        self.crops = CropSource(options, self.photos, self.paintings, self.loss_network, self.device, say)

    def _make_painter(self, start: StyleGAN | None, config: StyleGANConfig | None) -> Painter:
        mode = self.options.mode
        gan = (copy_network(start) if start else StyleGAN(config)).to(self.device)
        if mode == "from_scratch":
            gan.space = None  # The distribution of the codes moves with the encoder; `Run` fits it anew.
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

    def train_step(self) -> dict[str, float]:
        """One step of the painter and, once the adversarial ramp has begun, one of D.

        Returns the loss parts, without their weights. A step whose loss or gradient is not finite changes
        nothing except the rate, which it halves. Raises Diverged after `options.bad_steps` of them in a row.
        """
        batch = self.crops.batch(self.step, self.processes.rank, self.processes.world)
        values = self._gradients(batch)
        while values is None:
            values = self._gradients(batch)
        if self._descend(values):
            self._average()
            self.bad_in_row = 0
        else:
            self._skip(values)
        self.step += 1
        return values

    def _gradients(self, batch: Batch) -> dict[str, float] | None:
        """Gradients of painter and D for the batch, part by part.

        None if memory ran out; from then on the parts are half as large.
        """
        try:
            values = self._accumulate(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if self.micro_batch == 1 or self.processes.world > 1:
                raise TrainingError(
                    "Memory ran out; give a smaller resolution, or a smaller batch_size for each process."
                ) from error
            values = None
        if values is None:
            self._halve()
        return values

    def _halve(self) -> None:
        self._forget_gradients()
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.micro_batch = (self.micro_batch + 1) // 2
        self.say(
            f"memory ran out at step {self.step}: going on with {self.micro_batch} of "
            f"{self.options.batch_size} pictures at a time"
        )

    def _accumulate(self, batch: Batch) -> dict[str, float]:
        self._forget_gradients()
        adversarial = self.options.adversarial_at(self.step)
        # Named from the start: of several processes, one may hold no photo or no painting of its own.
        counts = {"content": True, "identity": self._identity_count(), "steady": self._steady_count()}
        names = [name for name, count in counts.items() if count]
        sums = {name: torch.zeros((), device=self.device) for name in names}

        # Paint the batch part by part and send the painter's gradients back; D only looks.
        discriminator = self.discriminator
        if discriminator is not None:
            discriminator.requires_grad_(False)
        fakes = []
        for part in self._parts_of(batch):
            features, found = self._painter_parts(part, adversarial)
            add_parts(sums, found)
            fakes.append(features)

        # D's own gradients, on the same pictures.
        if adversarial > 0 and discriminator is not None:
            discriminator.requires_grad_(True)
            for part, features in zip(self._parts_of(batch), fakes, strict=True):
                add_parts(sums, self._discriminator_parts(discriminator, part, features))

        # Sum gradients and losses over the processes.
        self.processes.sum_([p.grad for p in self._learning() if p.grad is not None])
        totals = torch.stack([sums[name].float() for name in sums])
        self.processes.sum_([totals])
        return dict(zip(sums, totals.tolist(), strict=True))

    def _identity_count(self) -> int:
        """How many pictures of this step's whole batch are paintings in their own style."""
        return count_at(self.options.identity_share, self.options.batch_size, self.step)

    def _steady_count(self) -> int:
        """How many pictures of this step's whole batch are painted twice.

        0 if the network is frozen, since it cannot become steadier.
        """
        if self.options.mode == "style_code" or self.options.weights.steady == 0:
            return 0
        return count_at(STEADY_SHARE, self.options.batch_size, self.step)

    def _parts_of(self, batch: Batch) -> Iterator[Batch]:
        for start in range(0, len(batch), self.micro_batch):
            yield batch.part(start, start + self.micro_batch)

    def _painter_parts(self, batch: Batch, adversarial: float) -> tuple[dict[str, Tensor], Parts]:
        """Paint, compare, send gradients back; returns D's input, detached, and the losses' shares."""
        with self._autocast():
            image, code = self.painter(
                batch.content, batch.style, batch.learned_mask, batch.shift, batch.seeds
            )
        features = self.loss_network(image)
        parts = self._perceptual_parts(image, features, code, batch)
        if self._steady_count() and batch.steady_mask.any():
            parts["steady"] = self._steady_part(image, code, batch)
        seen: dict[str, Tensor] = {}
        if adversarial > 0 and self.discriminator is not None:
            seen = self._judged(image, features)
            fake = self.discriminator(diff_augment(seen, batch.draws[:, 0]))
            loss = losses.adversarial_loss(fake, self.options.adversarial)
            parts["adversarial"] = loss * (adversarial * len(image) / self.options.batch_size)
        total = losses.total_loss(parts, self.options.weights)
        torch.autograd.backward(total)
        kept = {name: maps.detach() for name, maps in seen.items()}
        return kept, {k: v.detach() for k, v in parts.items()} | {"total": total.detach()}

    def _perceptual_parts(
        self, image: Tensor, features: dict[str, Tensor], code: Tensor, batch: Batch
    ) -> Parts:
        """The losses of a part of the batch, each times its share of the whole batch.

        Every loss is a mean over the pictures that it concerns. With these factors, the sum over the parts is
        the mean over the batch.
        """
        size = self.options.batch_size
        share = len(image) / size

        # Losses of all pictures: style, colour, and how clean the picture is.
        grams, moments = style_statistics(features)
        target_grams, target_moments, target_colors = self.crops.style_targets(batch)
        parts = {
            "gram": gram_loss(grams, target_grams) * share,
            "mean_std": mean_std_loss(moments, target_moments) * share,
            "energy": losses.energy_loss(moments, target_moments) * share,
            "colour": losses.color_loss(image, target_colors) * share,
            "tv": tv_loss(image) * share,
            "ground": ground_loss(image, batch.content, batch.style) * share,
            "range": range_loss(image) * share,
        }

        # Photos keep their content; a painting painted in its own style comes back.
        itself, paintings = batch.identity_mask, self._identity_count()
        if photos := int((~itself).sum()):
            relu4 = features[CONTENT_LAYER][~itself]
            target = self.crops.content_targets(batch).view(relu4.shape)
            parts["content"] = content_loss(relu4, target) * (photos / (size - paintings))
        if itself.any():
            loss = losses.identity_loss(image[itself], batch.content[itself])
            parts["identity"] = loss * (int(itself.sum()) / paintings)

        # The encoder finds the code in the result, among the codes of all processes.
        if self.options.weights.code > 0 and self.options.mode != "style_code":
            codes = self.processes.gather(code)
            found = self.painter.gan.style_encoder(image, Trained())
            first = self.processes.rank * len(code)
            parts["code"] = losses.code_loss(found, codes, first) * share
        return parts

    def _steady_part(self, image: Tensor, code: Tensor, batch: Batch) -> Tensor:
        """Paint some pictures again on another grid and compare; weighted like the perceptual parts."""
        twice = batch.steady_mask
        with self._autocast():
            again = self.painter.paint(
                batch.content[twice], code[twice], batch.other_shift, batch.seeds[twice]
            )
        loss = losses.steady_loss(image[twice], again, image.shape[-1] // STEADY_MARGIN)
        return loss * (int(twice.sum()) / self._steady_count())

    def _judged(self, image: Tensor, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """The features that D sees of pictures [B,3,H,W] with these `features` in the loss network."""
        maps = features | features_at_half(self.loss_network, image)
        return {name: maps[name] for name in SCALES}

    def _discriminator_parts(
        self, discriminator: Discriminator, batch: Batch, painted: dict[str, Tensor]
    ) -> Parts:
        with torch.no_grad():
            real = batch.real()
            paintings = self._judged(real, self.loss_network(real))
        on_real = discriminator(diff_augment(paintings, batch.draws[:, 1]))
        on_fake = discriminator(diff_augment(painted, batch.draws[:, 2]))
        parts = {
            "d_real": losses.real_loss(on_real, self.options.adversarial),
            "d_fake": losses.fake_loss(on_fake, self.options.adversarial),
        }
        share = len(batch) / self.options.batch_size
        torch.autograd.backward((parts["d_real"] + parts["d_fake"]) * share)
        return {name: part.detach() * share for name, part in parts.items()}

    def _descend(self, values: dict[str, float]) -> bool:
        """Both optimisers' steps; False, and no step, where a number is not finite."""
        rate = self.options.rate_at(self.step) * self.rate_factor
        steps = [(self.opt_g, self.options.lr, self.painter.learning())]
        if self.discriminator is not None and "d_real" in values:
            steps.append((self.opt_d, self.options.lr_d, list(self.discriminator.parameters())))
        norms = [float(torch.nn.utils.clip_grad_norm_(p, self.options.clip)) for _, _, p in steps]
        if not all(math.isfinite(number) for number in (*values.values(), *norms)):
            return False
        for optimiser, lr, _ in steps:
            for group in optimiser.param_groups:
                group["lr"] = lr * rate * group.get("factor", 1.0)
            optimiser.step()
        return True

    def _skip(self, values: dict[str, float]) -> None:
        self.bad_in_row += 1
        self.rate_factor /= 2
        self.say(f"step {self.step} skipped: its loss is {values['total']}; the learning rate is halved")
        if self.bad_in_row >= self.options.bad_steps:
            raise Diverged(
                f"The loss was not finite in {self.bad_in_row} steps in a row, up to step {self.step}; "
                "use the best weights so far, or train with a lower lr."
            )

    @torch.no_grad()
    def _average(self) -> None:
        """EMA of the weights, with a shorter memory at the start (Yaz et al. 2019 as in practice)."""
        keep = min(self.options.ema, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.ema.parameters(), self.painter.parameters(), strict=True):
            if value.requires_grad:
                mean.lerp_(value, 1 - keep)

    def _learning(self) -> list[torch.nn.Parameter]:
        d = [] if self.discriminator is None else list(self.discriminator.parameters())
        return self.painter.learning() + d

    def _forget_gradients(self) -> None:
        for parameter in self._learning():
            parameter.grad = None

    def _autocast(self) -> torch.autocast:
        """bfloat16 on CUDA; on a CPU the networks are small and stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

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

    def load_state(self, path: Path) -> dict[str, Any]:
        """Go on from `save_state` with this trainer's options and the file's step.

        Returns the saved `progress`. Raises TrainingError if the state belongs to another kind of run.
        """
        tensors, header = read_state(path)
        mode = header["options"].get("mode")
        if mode != self.options.mode:
            raise TrainingError(
                f"The run in {path.parent.name} was trained in the mode {mode}, not {self.options.mode}; "
                "give that mode, or another name for this run."
            )
        try:
            unpack(self.parts(), tensors)
        except (RuntimeError, KeyError, ValueError) as error:
            raise TrainingError(
                f"The run in {path.parent.name} has another network or other losses; "
                "begin a new run under another name."
            ) from error
        self.step, self.ancestor = header["step"], header["ancestor"]
        self.rate_factor, self.bad_in_row = header["rate_factor"], header["bad_in_row"]
        self.micro_batch = max(1, min(header["micro_batch"], self.options.batch_size) // self.processes.world)
        progress: dict[str, Any] = header["progress"]
        return progress


def add_parts(sums: Parts, parts: Parts) -> None:
    """sums[name] += parts[name], with absent ones as 0."""
    for name, value in parts.items():
        sums[name] = sums[name] + value if name in sums else value


def share_of_batch(batch_size: int, world: int) -> int:
    """The pictures of every batch that each of `world` processes works on. Raises TrainingError."""
    if batch_size % world:
        raise TrainingError(
            f"batch_size is {batch_size}, which {world} processes cannot share evenly; give a multiple."
        )
    return batch_size // world
