"""Batches: the crops that a step sees, their random draws, and the targets of their losses."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ..base.counts import counted
from ..base.seeds import derived_seed
from ..models.perception.statistics import SIZES, color_moments
from ..models.perception.vgg import LossNetwork
from ..pictures.reading import Picture
from .augment import DRAWS
from .cache_size import cache_bytes
from .crop_pool import CropPool, CropRule, batch_indices
from .options import TrainOptions
from .targets import StyleTarget, TargetCache, content_target, style_target, unpack_style_target
from .validation import spread

# The mean statistics of this many crops stand for a whole collection.
COLLECTION_CROPS = 64

# Share of a batch that is painted with the learned code, if there is one beside the paintings' own codes.
LEARNED_SHARE = {"style_code": 1.0, "fine_tune": 0.25, "from_scratch": 0.0}


@dataclass
class Batch:
    """A batch of B crops, or a part of one.

    All draws are made for the whole batch, so that its parts are the same in any process. The photos come
    before the paintings in their own style, and those painted with the learned code come first: the counts
    below say how many. (A mask on the CPU would make a GPU wait.)
    """

    content: Tensor
    """[B,3,S,S]: photos, and then the paintings themselves."""
    style: Tensor
    """[B,3,T,T]"""
    content_items: Tensor
    """[B], int: which crops of the photos."""
    style_items: Tensor
    """[B], int: which crops of the paintings."""
    identity_mask: Tensor
    """[B], bool: a painting is painted in its own style."""
    learned_mask: Tensor
    """[B], bool: painted with the learned code."""
    seeds: Tensor
    """[B], int64 from 0 on: of each picture's noise, behind either border."""
    draws: Tensor
    """[B,3,DRAWS] for DiffAugment: fakes seen by G's loss, paintings, fakes seen by D's loss."""
    shift: Tensor
    """[2], int: the border, for `Painter`."""
    other_shift: Tensor
    """[2], int: another border, with the pixel grid at another place."""
    window: tuple[int, int]
    """The place in the painting crops where D's real pictures are cut."""

    def __len__(self) -> int:
        return len(self.content_items)

    @property
    def photos(self) -> int:
        """How many of the pictures are photos; the rest are paintings in their own style."""
        return int((~self.identity_mask).sum())

    def part(self, start: int, stop: int) -> Batch:
        """Pictures `start` to `stop`."""
        whole = ("shift", "other_shift", "window")
        cut = {f.name: getattr(self, f.name)[start:stop] for f in fields(self) if f.name not in whole}
        return replace(self, **cut)

    def real(self) -> Tensor:
        """The paintings at the size of the photo crops, [B,3,S,S]."""
        (top, left), side = self.window, self.content.shape[-1]
        return self.style[:, :, top : top + side, left : left + side]


def count_at(share: float, size: int, step: int) -> int:
    """The number of pictures that is a `share` of the `size` pictures of step number `step`.

    Half a picture is one in every second step.

    >>> [count_at(0.125, 4, step) for step in range(4)]
    [0, 1, 0, 1]
    """
    return int(share * size * (step + 1)) - int(share * size * step)


class CropSource:
    """Cuts the crops of a run when a step needs them, and remembers their targets."""

    def __init__(
        self,
        options: TrainOptions,
        photos: Sequence[Picture],
        paintings: Sequence[Picture],
        network: LossNetwork,
        device: torch.device,
        say: Callable[[str], None],
    ):
        self.options, self.photos, self.paintings = options, photos, paintings
        self.network, self.device, self.say = network, device, say
        self.sizes = [name for name, share in zip(SIZES, options.size_shares, strict=True) if share > 0]
        self._content_key: tuple[int, int] | None = None
        self._style_key: tuple[int, int] | None = None
        self._mean_targets: tuple[Tensor, tuple[Tensor, Tensor]] | None = None

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The part of step number `step` that process `rank` of `world` works on.

        It depends on (seed, step) alone: a resumed run sees the same.
        """
        self._fill(step)
        options = self.options
        size, side = options.batch_size, options.resolution_at(step)

        # Draw for the whole batch: the places of borders and D's crops, and the use of each picture.
        generator = torch.Generator().manual_seed(derived_seed(options.seed, step))
        room = options.style_resolution - side
        shift = torch.randint(0, 8, (2,), generator=generator)
        window = tuple(torch.randint(0, room + 1, (2,), generator=generator).tolist())
        place = torch.arange(size)
        identity_mask = place >= size - count_at(options.identity_share, size, step)
        learned_mask = (place < count_at(LEARNED_SHARE[options.mode], size, step)) & ~identity_mask
        draws = torch.rand(size, 3, DRAWS, generator=generator)
        # A shift by 4 pixels leaves the grid of the unshuffle where it was.
        other_shift = (shift + torch.randint(1, 4, (2,), generator=generator)) % 8
        seeds = torch.randint(0, 2**63 - 1, (size,), generator=generator)

        # Fetch the crops of this process's part.
        content_items = batch_indices(step, size, len(self.content_pool), options.seed)
        style_items = batch_indices(step, size, len(self.style_pool), options.seed + 1)
        mine = slice(rank * size // world, (rank + 1) * size // world)
        style = self.style_pool.batch(style_items[mine], self.device)
        content = self.content_pool.batch(content_items[mine], self.device)
        batch = Batch(
            content,
            style,
            content_items[mine],
            style_items[mine],
            identity_mask[mine],
            learned_mask[mine],
            seeds[mine],
            draws[mine],
            shift,
            other_shift,
            window,
        )
        # A part of the painting replaces the photo, so that the identity loss needs no pass of its own.
        batch.content[batch.photos :] = batch.real()[batch.photos :]
        return batch

    def content_targets(self, batch: Batch) -> Tensor:
        """Flat `content_target` of the photos of the batch, [P,K]."""
        return self._content_targets.batch(batch.content_items[: batch.photos]).float()

    def style_targets(self, batch: Batch) -> tuple[StyleTarget, tuple[Tensor, Tensor]]:
        """The targets and the colour moments of the paintings of the batch.

        Pictures painted with the learned code get those of the whole collection, since the code stands for
        all of it.
        """
        learned = int(batch.learned_mask.sum())
        colors = color_moments(batch.style)
        if not learned:
            targets = self._style_targets.batch(batch.style_items)
        else:
            whole, whole_colors = self._collection()
            targets = whole.expand(learned, -1)
            if learned < len(batch):
                targets = torch.cat([targets, self._style_targets.batch(batch.style_items[learned:])])
            means, covariances = (
                torch.cat([mean.expand(learned, *mean.shape), own[learned:]])
                for mean, own in zip(whole_colors, colors, strict=True)
            )
            colors = means, covariances
        return unpack_style_target(targets, self.sizes), colors

    @torch.no_grad()
    def _collection(self) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The means of the targets of up to 64 crops, spread over all paintings; computed once."""
        if self._mean_targets is None:
            items = torch.tensor(spread(range(len(self.style_pool)), COLLECTION_CROPS))
            targets = torch.stack([self._style_targets.batch(i[None])[0].float() for i in items]).mean(0)
            colors = [color_moments(self.style_pool.batch(i[None], self.device)) for i in items]
            mean, covariance = (torch.cat(part).mean(0) for part in zip(*colors, strict=True))
            self._mean_targets = targets, (mean, covariance)
        return self._mean_targets

    def _fill(self, step: int) -> None:
        """Cut the crops that this step needs, unless they are there."""
        options, network = self.options, self.network
        round_ = step // options.round_steps
        content_key = (options.resolution_at(step), round_)
        style_key = (options.style_resolution, round_)
        if content_key != self._content_key:
            self.content_pool = self._cut(self.photos, *content_key, options.content_scale, options.seed)
            self._content_targets = self._targets(self.content_pool, lambda x: content_target(network, x))
            self._content_key = content_key
        if style_key != self._style_key:
            self.style_pool = self._cut(self.paintings, *style_key, options.style_scale, options.seed + 1)
            self._style_targets = self._targets(
                self.style_pool, lambda x: style_target(network, x, self.sizes)
            )
            self._mean_targets = None
            self._style_key = style_key

    def _targets(self, pool: CropPool, compute: Callable[[Tensor], Tensor]) -> TargetCache:
        """The targets of `pool`: on a GPU, all at once; on a CPU, when a step needs them.

        A CPU takes minutes for all, and a short run needs few.
        """
        started = time.monotonic()
        cache = TargetCache(pool, compute, self.device, cache_bytes(self.device))
        if self.device.type != "cpu":
            count = cache.fill()
            self.say(f"computed {counted(count, 'target')} in {time.monotonic() - started:.0f} s")
        return cache

    def _cut(
        self, pictures: Sequence[Picture], side: int, round_: int, scale: tuple[int, int], seed: int
    ) -> CropPool:
        started = time.monotonic()
        rule = CropRule(side, max(side, scale[0]), max(side, scale[1]))
        pool = CropPool(pictures, rule, self.options.variants, seed, round_)
        self.say(f"cut {counted(len(pool), 'crop')} of {side} px in {time.monotonic() - started:.0f} s")
        if pool.crops.nbytes <= cache_bytes(self.device):
            pool.move(self.device)
        return pool
