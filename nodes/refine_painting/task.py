"""What Refine Painting is asked to do: its inputs checked, its pictures refined one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ...base.counts import counted
from ...base.excerpt import excerpt
from ...models.batches import entry, match_batch
from ...models.perception.vgg import LossNetwork, loss_dtype
from ...models.style_gan import StyleGAN
from ...painting.options import RefineOptions
from ...painting.refine import refine
from ...painting.sources import resized
from ..bridge import api
from ..shared.images import to_image, to_mask, to_rgb
from ..shared.out_of_memory import with_second_chance
from .preview import RefinePreview, laid_over
from .report import RefineReport

# Bytes for each pixel with which no tiles are needed: the loss network, both ways, and the optimiser.
_WORKING_MEMORY_PER_PIXEL = 4096

# Sides that were rounded to a network's grid differ less than this from the photo's, a picture of another
# shape more.
_SAME_SHAPE = 0.02


@dataclass(frozen=True, eq=False)
class RefineTask:
    """What is to be done, checked. Pictures [1 or B,3,H,W], paintings [1,3,h,w], masks [1 or B,h,w]."""

    count: int
    images: Tensor
    photos: Tensor
    paintings: list[Tensor]
    masks: Tensor | None
    weights: list[float] | None
    options: RefineOptions
    gan: StyleGAN
    seed: int

    @classmethod
    def from_inputs(
        cls,
        image: Tensor,
        content: Tensor,
        style_images: Tensor,
        mask: Tensor | None,
        style_weights: str,
        options: RefineOptions,
        gan: StyleGAN,
        seed: int,
    ) -> RefineTask:
        """Raises ValueError, one sentence, for inputs that cannot be used together."""
        # The pictures, and a weight for each painting.
        images, photos = to_rgb(image, "image", "image"), to_rgb(content, "content", "content")
        batch = to_rgb(style_images, "style_images", "style_images")
        paintings = [batch[i : i + 1] for i in range(len(batch))]
        weights = painting_weights(style_weights)
        if weights is not None and len(weights) != len(paintings):
            raise ValueError(
                f"style_weights has {counted(len(weights), 'number')} for a batch of {len(paintings)} in "
                "style_images; give one for each painting, or none."
            )
        # The picture and its photo have one shape, up to rounding.
        height, width = images.shape[-2:]
        ratio = height * photos.shape[-1] / (width * photos.shape[-2])
        rounding = 1 / min(height, width)
        if not 1 / (1 + _SAME_SHAPE + rounding) < ratio < 1 + _SAME_SHAPE + rounding:
            raise ValueError(
                f"image has {width} x {height} pixels and content {photos.shape[-1]} x {photos.shape[-2]}; "
                "give a picture and the photo that it was painted from, in the same shape."
            )
        # One picture, one photo and one mask each, or batches of one size.
        masks = None if mask is None else to_mask(mask, "The mask")
        sizes = [len(images), len(photos)] + ([] if masks is None else [len(masks)])
        count = match_batch(*sizes, what="The images, the photos and the masks")
        if masks is not None and not (masks > 0).any():
            raise ValueError(
                "The mask is black, so nothing would be refined; paint it white where the picture is to "
                "change, or disconnect it."
            )
        return cls(count, images, photos, paintings, masks, weights, options, gan, seed)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the photos, and so of the results."""
        return self.photos.shape[-2], self.photos.shape[-1]

    def run(self, report: RefineReport) -> Tensor:
        """IMAGE [B,H,W,3]. One picture at a time; after each tile the user may cancel."""
        device = api.device()
        api.unload_until_free(math.prod(self.size) * _WORKING_MEMORY_PER_PIXEL)
        dtype = loss_dtype(self.options.dtype, device)
        network = LossNetwork(dtype=dtype).to(device)
        refined = torch.empty(
            self.count, *self.size, 3, dtype=torch.float32, device=api.intermediate_device()
        )
        for i in range(self.count):
            api.check_interrupt()
            refined[i] = with_second_chance(partial(self._refined, i, device, network, report))[0]
        return refined

    def _refined(self, i: int, device: torch.device, network: LossNetwork, report: RefineReport) -> Tensor:
        """Picture i as IMAGE [1,H,W,3]."""
        photo = entry(self.photos, i).to(device)
        start = resized(entry(self.images, i).to(device), self.size)
        mask = None if self.masks is None else entry(self.masks, i).to(device)
        if mask is not None and not mask.any():
            report.skipped(i)
            return to_image(start)
        paintings = [painting.to(device) for painting in self.paintings]
        report.begin(i, RefinePreview.reduced(photo, start, mask, self.options.preserve_color))
        painted = refine(
            start,
            photo,
            paintings,
            self.weights,
            self.options,
            report.step,
            network=network,
            gan=self.gan,
            seed=self.seed,
            on_tile=api.check_interrupt,
            on_note=report.note,
        )
        # The whole picture is refined, so that what is in the mask keeps its light and dark among the rest.
        return to_image(laid_over(start, painted, mask))


def painting_weights(text: str) -> list[float] | None:
    """The numbers in `text`, None if it is empty. Raises ValueError, one sentence, for anything else."""
    if not isinstance(text, str):
        raise ValueError(f"style_weights is of the type {type(text).__name__}; give a text, such as 1, 2.")
    if not text.strip():
        return None
    weights = [_number(word) for word in text.replace(",", " ").split()]
    if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
        raise ValueError(
            f"style_weights is '{excerpt(text)}'; give numbers of 0 or more, not all 0, with commas between "
            "them, such as 1, 2."
        )
    return weights


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan
