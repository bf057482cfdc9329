"""What frozen networks see in a picture, and how alike this makes two pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.perception.extractors import Extractor
from ..models.perception.feature_losses import gram_loss, mean_std_loss
from ..models.perception.statistics import (
    SIZES,
    StyleStatistics,
    normalized,
    sized_pictures,
    style_statistics,
)
from ..models.perception.vgg import CONTENT_LAYER, LossNetwork
from .similarity import Lpips, ssim

# The scores of a photo that stays as it is, whatever the painting.
UNTOUCHED = {"content": 0.0, "ssim": 1.0, "lpips": 0.0}


@dataclass(frozen=True)
class Observation:
    """What the networks see in a picture [1,3,H,W].

    content     normalised content maps of the loss network, [1,512,H/8,W/8]
    styles      Gram matrices [1,C,C] and means and deviations [1,2,C], each by layer: of the picture at
                whole, half and quarter size, without the sizes that are too small for the loss network
    features    what FID and KID compare, by the extractor's name, [1,D]
    """

    content: Tensor
    styles: Sequence[StyleStatistics]
    features: dict[str, Tensor]

    @property
    def moments(self) -> dict[str, Tensor]:
        """Means and deviations [1,2,C] by layer, of the whole picture."""
        return self.styles[0][1]


class Observer:
    """The networks that look at pictures: the loss network, and the extractors of features."""

    def __init__(self, device: torch.device, extractors: Sequence[Extractor] = ()):
        self.network = LossNetwork().to(device)
        self.extractors = extractors

    def look(self, picture: Tensor) -> Observation:
        """picture [1,3,H,W] in 0..1."""
        whole, *smaller = sized_pictures(picture)
        maps = self.network(whole)
        styles = [style_statistics(maps)] + [style_statistics(self.network(each)) for each in smaller]
        features = {each.name: each(picture, maps) for each in self.extractors}
        return Observation(normalized(maps[CONTENT_LAYER]), styles, features)


def likeness(
    painted: Tensor, seen: Observation, photo: Tensor, photo_seen: Observation, lpips: Lpips | None = None
) -> dict[str, float]:
    """How much of `photo` is left in `painted`, both [1,3,H,W]: content loss, SSIM and, if given, LPIPS."""
    scores = {
        "content": (seen.content - photo_seen.content).square().mean().item(),
        "ssim": ssim(painted, photo).item(),
    }
    return scores | ({"lpips": lpips(painted, photo)} if lpips else {})


def style_losses(seen: Observation, painting: Sequence[StyleStatistics]) -> dict[str, float]:
    """How far a picture is from a painting with these statistics, at every size that both have.

    The names are "gram" and "mean_std" for the whole pictures, and "gram_half", "mean_std_half",
    "gram_quarter" and "mean_std_quarter" for smaller ones, in which strokes and shapes count more.
    """
    losses = {}
    for size, (grams, moments), (target, target_moments) in zip(SIZES, seen.styles, painting, strict=False):
        ending = "" if size == SIZES[0] else f"_{size}"
        losses[f"gram{ending}"] = gram_loss(grams, target).item()
        losses[f"mean_std{ending}"] = mean_std_loss(moments, target_moments).item()
    return losses
