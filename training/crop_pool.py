"""Random square crops of pictures: how they are cut, kept and drawn in batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ..base.seeds import derived_seed
from ..pictures.reading import Picture, decoded, decoders
from ..pictures.tensors import crop_of_shorter, pixels, size_of_shorter


@dataclass(frozen=True)
class CropRule:
    """Random square crops of `side` pixels; half of them are mirrored.

    The picture's shorter side is first brought to a random length between `shorter_min` and `shorter_max`.
    """

    side: int
    shorter_min: int
    shorter_max: int

    def __post_init__(self) -> None:
        if not 16 <= self.side <= self.shorter_min <= self.shorter_max:
            raise ValueError(
                f"A crop of {self.side} px needs pictures of {self.shorter_min} to {self.shorter_max} px; "
                "let side be 16 or more, then shorter_min, then shorter_max."
            )


def random_crop(image: Image.Image, rule: CropRule, rng: np.random.Generator) -> Tensor:
    """One crop of `image` by `rule`, uint8 [3,side,side]."""
    log_range = math.log(rule.shorter_min), math.log(rule.shorter_max)
    shorter = round(math.exp(rng.uniform(*log_range)))
    width, height = size_of_shorter(image.size, shorter)
    left = int(rng.integers(0, width - rule.side + 1))
    top = int(rng.integers(0, height - rule.side + 1))
    image = crop_of_shorter(image, shorter, left, top, rule.side)
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    return pixels(image)


class CropPool:
    """`variants` crops of every picture, decoded once and kept as uint8 [N,3,side,side].

    A few cores decode more slowly than they train. A pool costs some time at the start of a round and none
    after that (docs/history.md), and values computed from a crop can be kept beside it. Crop k of picture i
    in round r depends on (seed, r, i, k) alone, so a resumed run sees the same pixels.
    """

    def __init__(
        self, pictures: Sequence[Picture], rule: CropRule, variants: int, seed: int, round_: int = 0
    ):
        self.crops = torch.empty(len(pictures) * variants, 3, rule.side, rule.side, dtype=torch.uint8)

        def fill(index: int) -> None:
            with decoded(pictures[index]) as image:
                for k in range(variants):
                    rng = np.random.default_rng((seed, round_, index, k))
                    self.crops[index * variants + k] = random_crop(image, rule, rng)

        with ThreadPoolExecutor(decoders()) as pool:
            list(pool.map(fill, range(len(pictures))))

    def __len__(self) -> int:
        return len(self.crops)

    def move(self, device: torch.device) -> None:
        """Keep the crops on `device`, so that no batch has to be copied there."""
        self.crops = self.crops.to(device)

    def batch(self, indices: Tensor, device: torch.device) -> Tensor:
        """Crops [B,3,side,side], float32 in 0..1, channels last."""
        crops = self.crops[indices.to(self.crops.device)].to(device).to(memory_format=torch.channels_last)
        return crops.float() / 255


def batch_indices(step: int, batch: int, length: int, seed: int) -> Tensor:
    """The items that step number `step` sees: every epoch is a new permutation of 0..length-1.

    It depends on its arguments alone, so a sampler needs no state beyond the step.

    >>> batch_indices(0, 4, 4, seed=1).sort().values.tolist()
    [0, 1, 2, 3]
    """
    positions = torch.arange(step * batch, (step + 1) * batch)
    indices = torch.empty(batch, dtype=torch.long)
    for epoch in torch.unique(positions // length).tolist():
        generator = torch.Generator().manual_seed(derived_seed(seed, epoch))
        permutation = torch.randperm(length, generator=generator)
        here = positions // length == epoch
        indices[here] = permutation[positions[here] % length]
    return indices
