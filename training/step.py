"""The gradients of one batch: paint it, compare it with photos and paintings, send gradients back.

Everything here stays on the device: no number is read back, so that a GPU never waits within a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from ..models.devices import without_autocast
from ..models.discriminator import SCALES, Discriminator
from ..models.passes import Trained
from ..models.perception.feature_losses import content_loss
from ..models.perception.pixel_losses import ground_excess, ground_limits, ground_steps, range_loss, tv_loss
from ..models.perception.statistics import SIZES, sized_pictures, style_statistics
from ..models.perception.vgg import CONTENT_LAYER, LossNetwork, features_at_half
from . import losses
from .augment import diff_augment
from .crops import Batch, CropSource, count_at
from .losses import Parts, add_parts
from .options import TrainOptions
from .painter import Painter
from .processes import Processes

# The steadiness loss leaves this part of a crop's side out at each border: the reflection there depends on
# the shift.
STEADY_MARGIN = 12

Features = dict[str, Tensor]
"""Features of the loss network by layer."""


class BatchGradients:
    """Adds the gradients of batches to the parameters of `painter` and `discriminator`."""

    def __init__(
        self,
        options: TrainOptions,
        painter: Painter,
        discriminator: Discriminator | None,
        network: LossNetwork,
        crops: CropSource,
        processes: Processes,
    ):
        self.options, self.painter, self.discriminator = options, painter, discriminator
        self.network, self.crops, self.processes = network, crops, processes
        self.device = crops.device

    def accumulate(self, batch: Batch, step: int, micro_batch: int) -> Parts:
        """The gradients of step number `step`, `micro_batch` pictures at a time; returns its losses.

        The losses are without their weights, summed over the processes as the gradients are.
        """
        adversarial = self.options.adversarial_at(step)
        # Named from the start: of several processes, one may hold no photo or no painting of its own.
        counts = {"content": 1, "identity": self._identity_count(step)}
        sums = {name: torch.zeros((), device=self.device) for name, count in counts.items() if count}

        # Paint the batch part by part and send the painter's gradients back; D only looks.
        discriminator = self.discriminator
        if discriminator is not None:
            discriminator.requires_grad_(False)
        fakes = []
        for part in _parts_of(batch, micro_batch):
            features, found = self._painter_parts(part, step, adversarial)
            add_parts(sums, found)
            fakes.append(features)

        # D's own gradients, on the same pictures.
        if adversarial > 0 and discriminator is not None:
            discriminator.requires_grad_(True)
            for part, features in zip(_parts_of(batch, micro_batch), fakes, strict=True):
                add_parts(sums, self._discriminator_parts(discriminator, part, features))

        # Sum gradients and losses over the processes.
        self.processes.sum_([p.grad for p in self.learning() if p.grad is not None])
        totals = torch.stack([loss.float() for loss in sums.values()])
        self.processes.sum_([totals])
        return dict(zip(sums, totals.unbind(), strict=True))

    def learning(self) -> list[torch.nn.Parameter]:
        """The parameters that get gradients."""
        d = [] if self.discriminator is None else list(self.discriminator.parameters())
        return self.painter.learning() + d

    def _identity_count(self, step: int) -> int:
        """How many pictures of the step's whole batch are paintings in their own style."""
        return count_at(self.options.identity_share, self.options.batch_size, step)

    def _shifts(self, batch: Batch) -> list[Tensor]:
        """The borders behind which a batch is painted: two, or one if the network is frozen.

        The cheapest way to the paintings' statistics is a pattern that repeats in every cell of the
        network's grid, and eyes see it as weave. The mean of two pictures whose grids begin elsewhere has
        little of it, so strokes have to lower the losses. A frozen network learns no pattern.
        """
        return [batch.shift] if self.options.mode == "style_code" else [batch.shift, batch.other_shift]

    def _painter_parts(self, batch: Batch, step: int, adversarial: float) -> tuple[Features, Parts]:
        """Paint, compare, send gradients back; returns D's input, detached, and the losses' shares."""
        # Paint, and let the loss network look at the mean of the two pictures.
        with self._autocast():
            painted, code = self.painter(
                batch.content, batch.style, batch.learned_mask, self._shifts(batch), batch.seeds
            )
        image = torch.stack(painted).mean(0)
        features = self._features(image, adversarial)
        # The losses that compare it with photos and paintings.
        parts, by_size = self._style_parts(image, features, batch)
        parts |= self._content_parts(image, features["whole"], batch, step)
        parts |= self._code_part(image, code)
        parts |= self._place_parts(painted, batch)
        # What the discriminator says.
        seen: Features = {}
        if adversarial > 0 and self.discriminator is not None:
            seen = _judged(features["whole"], features["half"])
            fake = self.discriminator(diff_augment(seen, batch.draws[:, 0]))
            loss = losses.adversarial_loss(fake, self.options.adversarial)
            parts["adversarial"] = loss * (adversarial * self._share(batch))
        total = losses.total_loss(parts, self.options.weights)
        torch.autograd.backward(total)
        kept = {name: maps.detach() for name, maps in seen.items()}
        return kept, {k: v.detach() for k, v in parts.items()} | by_size | {"total": total.detach()}

    def _features(self, image: Tensor, adversarial: float) -> dict[str, Features]:
        """What the loss network sees in pictures [B,3,H,W], by the name of the size.

        The style losses, the content loss and D share these passes.
        """
        needed = {"whole", *self.crops.sizes} | ({"half"} if adversarial > 0 else set())
        sizes = zip(SIZES, sized_pictures(image), strict=True)
        return {name: self.network(picture) for name, picture in sizes if name in needed}

    def _share(self, batch: Batch) -> float:
        """The share of this part in the whole batch.

        Every loss is a mean over the pictures that it concerns. With such factors, the sum over the parts is
        the mean over the batch.
        """
        return len(batch) / self.options.batch_size

    def _style_parts(self, image: Tensor, features: dict[str, Features], batch: Batch) -> tuple[Parts, Parts]:
        """The losses of all pictures: style, colour, and how clean the picture is; and those of each size."""
        target, colors = self.crops.style_targets(batch)
        found = {name: style_statistics(features[name]) for name in self.crops.sizes}
        parts, by_size = losses.style_losses(found, target.statistics, self.options.size_shares)
        parts |= {
            "colour": losses.color_loss(image, colors),
            "tv": tv_loss(image),
            "range": range_loss(image),
        }
        if self.options.weights.ground > 0:
            limits = ground_limits(batch.content, target.plain)
            parts["ground"] = ground_excess(ground_steps(image), limits).mean()
        share = self._share(batch)
        return {k: v * share for k, v in parts.items()}, {k: v * share for k, v in by_size.items()}

    def _content_parts(self, image: Tensor, features: Features, batch: Batch, step: int) -> Parts:
        """Photos keep their content; a painting painted in its own style comes back."""
        parts: Parts = {}
        photos, paintings = batch.photos, self._identity_count(step)
        if photos:
            relu4 = features[CONTENT_LAYER][:photos]
            target = self.crops.content_targets(batch).view(relu4.shape)
            share = photos / (self.options.batch_size - paintings)
            parts["content"] = content_loss(relu4, target) * share
        if photos < len(batch):
            loss = losses.identity_loss(image[photos:], batch.content[photos:])
            parts["identity"] = loss * ((len(batch) - photos) / paintings)
        return parts

    def _place_parts(self, painted: Sequence[Tensor], batch: Batch) -> Parts:
        """What compares the two pictures, whose grids begin elsewhere."""
        weights = self.options.weights
        parts: Parts = {}
        if len(painted) > 1:
            margin = painted[0].shape[-1] // STEADY_MARGIN
            if weights.steady > 0:
                parts["steady"] = losses.steady_loss(painted[0], painted[1], margin)
            if weights.grid > 0:
                parts["grid"] = losses.grid_loss(painted[0], painted[1], margin)
        return {name: loss * self._share(batch) for name, loss in parts.items()}

    def _code_part(self, image: Tensor, code: Tensor) -> Parts:
        """The encoder finds the code in the result, among the codes of all processes."""
        if self.options.weights.code == 0 or self.options.mode == "style_code":
            return {}
        codes = self.processes.gather(code)
        found = self.painter.gan.style_encoder(image, Trained())
        first = self.processes.rank * len(code)
        return {"code": losses.code_loss(found, codes, first) * (len(image) / self.options.batch_size)}

    def _discriminator_parts(self, discriminator: Discriminator, batch: Batch, painted: Features) -> Parts:
        with torch.no_grad():
            real = batch.real()
            paintings = self.network(real) | features_at_half(self.network, real)
        real_draws, fake_draws = batch.draws[:, 1], batch.draws[:, 2]
        # Spectral norm normalises the weights once for both.
        with parametrize.cached():
            on_real = discriminator(diff_augment({n: paintings[n] for n in SCALES}, real_draws))
            on_fake = discriminator(diff_augment(painted, fake_draws))
        parts = {
            "d_real": losses.real_loss(on_real, self.options.adversarial),
            "d_fake": losses.fake_loss(on_fake, self.options.adversarial),
        }
        share = self._share(batch)
        torch.autograd.backward((parts["d_real"] + parts["d_fake"]) * share)
        return {name: part.detach() * share for name, part in parts.items()}

    def _autocast(self) -> AbstractContextManager[object]:
        """The painter computes in the type of the loss network; its weights stay float32."""
        if self.network.dtype != torch.bfloat16:
            return without_autocast(self.device)
        return torch.autocast(self.device.type, torch.bfloat16)


def _parts_of(batch: Batch, size: int) -> Iterator[Batch]:
    for start in range(0, len(batch), size):
        yield batch.part(start, start + size)


def _judged(whole: Features, half: Features) -> Features:
    """The features that D sees, of pictures at whole and half size."""
    maps = whole | {f"half_{name}": each for name, each in half.items()}
    return {name: maps[name] for name in SCALES}
