"""The trainer: alternating Adam steps of generator and discriminator, kept resumable bit for bit.

Every random choice of a step comes from (seed, step), so the state of a run is its weights, its
optimisers and one number.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models import Discriminator, StyleGAN, StyleGANConfig
from . import losses
from .augment import diff_augment
from .options import TrainOptions
from .pictures import CropPool, CropRule, batch_indices
from .state import pack, read_state, unpack, write_state
from .targets import TargetCache, content_target, style_target, unpack_style_target
from .vgg import CONTENT_LAYER, LossNetwork, fastest_loss_dtype

CACHE_BYTES = 4 * 2**30


class TrainingError(RuntimeError):
    """Training cannot go on; the message is one sentence for the user."""


class Trainer:
    """Trains a `StyleGAN` on photos and paintings.

        trainer = Trainer(options, photos, paintings)
        while trainer.step < options.steps:
            values = trainer.train_step()

    `ema` is the network to use: the moving average of `gan`.
    """

    def __init__(
        self,
        options: TrainOptions,
        photos: Sequence[Path],
        paintings: Sequence[Path],
        config: StyleGANConfig | None = None,
        device: torch.device | str = "cpu",
        say: Callable[[str], None] = lambda text: None,
        start: StyleGAN | None = None,
    ):
        """`start` is a network to go on from, left as it is; else one of `config` begins untrained."""
        if not photos or not paintings:
            raise TrainingError(f"There are {len(photos)} photos and {len(paintings)} paintings to train on.")
        self.options, self.photos, self.paintings = options, list(photos), list(paintings)
        self.device, self.say, self.step = torch.device(device), say, 0
        torch.manual_seed(options.seed)
        self.gan = (copy.deepcopy(start) if start else StyleGAN(config)).to(self.device)
        self.gan.train().requires_grad_(True)
        self.gan.space = None  # The distribution of the codes moves with the encoder; `Run` fits it anew.
        self.ancestor = start.training_record if start else None
        self.ema = copy.deepcopy(self.gan).eval().requires_grad_(False)
        self.discriminator = Discriminator().to(self.device, memory_format=torch.channels_last)
        # Betas 0.9/0.99: the losses are dense and smooth; StyleGAN's 0/0.99 serves a GAN without them.
        self.opt_g = torch.optim.Adam(self.gan.parameters(), options.lr, betas=(0.9, 0.99))
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), options.lr_d, betas=(0.5, 0.99))
        dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        dtype = dtypes.get(options.loss_dtype, fastest_loss_dtype(self.device))
        self.loss_network = LossNetwork(dtype=dtype).to(self.device)
        self._content_key: tuple[int, int] | None = None
        self._style_key: tuple[int, int] | None = None

    # -- one step ------------------------------------------------------------------------------

    def train_step(self) -> dict[str, float]:
        """One step of G and, once the adversarial ramp has begun, one of D; returns the loss parts."""
        self._fill_pools()
        step, options = self.step, self.options
        generator = torch.Generator().manual_seed((options.seed * 1_000_003 + step) % 2**63)
        for group in self.opt_g.param_groups:
            group["lr"] = options.lr * options.rate_at(step)
        for group in self.opt_d.param_groups:
            group["lr"] = options.lr_d * options.rate_at(step)

        content_items = batch_indices(step, options.batch, len(self.content_pool), options.seed)
        style_items = batch_indices(step, options.batch, len(self.style_pool), options.seed + 1)
        content = self.content_pool.batch(content_items, self.device)
        style = self.style_pool.batch(style_items, self.device)
        content, itself = self._with_identity(content, style, generator)

        with self._autocast():
            image, code = self._paint(content, style, generator)
        parts = self._perceptual_parts(image, code, style, content, itself, content_items, style_items)
        adversarial = options.adversarial_at(step)
        if adversarial > 0:
            self.discriminator.requires_grad_(False)
            fake = self.discriminator(diff_augment(image, generator))
            parts["adversarial"] = losses.adversarial_loss(fake, options.adversarial)[0] * adversarial
        total, parts = losses.total_loss(parts, options.weights)
        values = {name: part.detach() for name, part in parts.items()} | {"total": total.detach()}
        if not torch.isfinite(total):
            raise TrainingError(
                f"The loss is {float(values['total'])} at step {step}; resume with a lower lr."
            )
        self._descend(self.opt_g, self.gan, total)
        if adversarial > 0:
            values |= self._train_discriminator(style, image.detach(), generator)
        self._average(step)
        self.step += 1
        return {name: float(value) for name, value in values.items()}

    def _paint(self, content: Tensor, style: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Paint the crops behind a random border of 0..7 px, so that neither the unshuffle grid nor
        the loss network's strides always fall on the same pixels: that would print a grid."""
        side = content.shape[-1]
        down, right = torch.randint(0, 8, (2,), generator=generator).tolist()
        bordered = F.pad(content, (right, -right % 8, down, -down % 8), mode="reflect")
        code = self.gan.style_encoder(style)
        image = self.gan.generator(self.gan.content_encoder(bordered), code)
        return image[:, :, down : down + side, right : right + side].float(), code.float()

    def _with_identity(
        self, content: Tensor, style: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, int]:
        """The last few photos of the batch give way to a part of the painting they will be painted
        like: the identity loss then costs no pass of its own. Returns how many."""
        itself = round(self.options.identity_share * len(content))
        if itself == 0:
            return content, 0
        side, room = content.shape[-1], style.shape[-1] - content.shape[-1]
        top, left = torch.randint(0, room + 1, (2,), generator=generator).tolist()
        own = style[-itself:, :, top : top + side, left : left + side]
        return torch.cat([content[:-itself], own]), itself

    def _perceptual_parts(
        self,
        image: Tensor,
        code: Tensor,
        style: Tensor,
        content: Tensor,
        itself: int,
        content_items: Tensor,
        style_items: Tensor,
    ) -> losses.Parts:
        features = self.loss_network(image)
        grams, moments = losses.style_statistics(features)
        target_grams, target_moments = unpack_style_target(self.style_targets.batch(style_items))
        photos = len(image) - itself
        relu4 = features[CONTENT_LAYER][:photos]
        target = self.content_targets.batch(content_items[:photos]).float().view(relu4.shape)
        parts = {
            "content": losses.content_loss(relu4, target)[0],
            "gram": losses.gram_loss(grams, target_grams)[0],
            "mean_std": losses.mean_std_loss(moments, target_moments)[0],
            "colour": losses.colour_loss(image, style)[0],
            "tv": losses.tv_loss(image)[0],
            "range": losses.range_loss(image)[0],
        }
        if itself:
            parts["identity"] = losses.identity_loss(image[photos:], content[photos:])[0]
        if self.options.weights.code > 0:
            parts["code"] = losses.code_loss(self.gan.style_encoder(image), code)[0]
        return parts

    def _train_discriminator(
        self, style: Tensor, image: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(True)
        side, room = image.shape[-1], style.shape[-1] - image.shape[-1]
        top, left = torch.randint(0, room + 1, (2,), generator=generator).tolist()
        real = style[:, :, top : top + side, left : left + side]
        on_real = self.discriminator(diff_augment(real, generator))
        on_fake = self.discriminator(diff_augment(image, generator))
        loss, parts = losses.discriminator_loss(on_real, on_fake, self.options.adversarial)
        self._descend(self.opt_d, self.discriminator, loss)
        return {name: part.detach() for name, part in parts.items()}

    def _descend(self, optimiser: torch.optim.Optimizer, module: torch.nn.Module, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), self.options.clip)
        optimiser.step()

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """EMA of the weights, with a shorter memory at the start (Yaz et al. 2019 as in practice)."""
        keep = min(self.options.ema, (1 + step) / (10 + step))
        for mean, value in zip(self.ema.parameters(), self.gan.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)

    def _autocast(self) -> torch.autocast:
        """bfloat16 on CUDA; on a CPU the networks are small and stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    # -- pictures ------------------------------------------------------------------------------

    def _fill_pools(self) -> None:
        """Cut the crops that this step needs, unless they are there."""
        options, network = self.options, self.loss_network
        round_ = self.step // options.round_steps
        content_key, style_key = (options.crop_at(self.step), round_), (options.style_crop, round_)
        if content_key != self._content_key:
            self.content_pool = self._cut(self.photos, *content_key, options.content_scale, options.seed)
            self.content_targets = TargetCache(
                self.content_pool, lambda x: content_target(network, x), self.device, CACHE_BYTES
            )
            self._content_key = content_key
        if style_key != self._style_key:
            self.style_pool = self._cut(self.paintings, *style_key, options.style_scale, options.seed + 1)
            self.style_targets = TargetCache(
                self.style_pool, lambda x: style_target(network, x), self.device, CACHE_BYTES
            )
            self._style_key = style_key

    def _cut(self, paths: list[Path], side: int, round_: int, scale: tuple[int, int], seed: int) -> CropPool:
        started = time.monotonic()
        rule = CropRule(side, max(side, scale[0]), max(side, scale[1]))
        pool = CropPool(paths, rule, self.options.variants, seed, round_)
        self.say(f"cut {len(pool)} crops of {side} px in {time.monotonic() - started:.0f} s")
        return pool

    # -- state ---------------------------------------------------------------------------------

    def _parts(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer]:
        return {
            "gan": self.gan,
            "ema": self.ema,
            "discriminator": self.discriminator,
            "opt_g": self.opt_g,
            "opt_d": self.opt_d,
        }

    def save_state(self, path: Path) -> None:
        """All that is needed to go on, in one file, whole or not at all."""
        header = {"step": self.step, "options": self.options.as_dict(), "ancestor": self.ancestor}
        write_state(path, pack(self._parts()), header)

    def load_state(self, path: Path) -> None:
        """Go on from `save_state`; the options are this trainer's, the step is the file's."""
        tensors, header = read_state(path)
        unpack(self._parts(), tensors)
        self.step, self.ancestor = header["step"], header.get("ancestor")
