"""What frozen networks see in a picture, and how alike two pictures are by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.perception.extractors import Extractor
from ..models.perception.statistics import gram_loss, mean_std_loss, normalized, style_statistics
from ..models.perception.vgg import CONTENT_LAYER, LossNetwork
from .similarity import Lpips, ssim

# What a photo that nobody painted on scores, whatever the painting.
UNTOUCHED = {"content": 0.0, "ssim": 1.0, "lpips": 0.0}


@dataclass(frozen=True)
class Observation:
    """What the networks see in a picture [1,3,H,W].

    content     normalised content maps of the loss network, [1,512,H/8,W/8]
    grams       Gram matrices by layer, [1,C,C]
    moments     means and deviations by layer, [1,2,C]
    features    what FID and KID compare, by the extractor's name, [1,D]
    """

    content: Tensor
    grams: dict[str, Tensor]
    moments: dict[str, Tensor]
    features: dict[str, Tensor]


class Observer:
    """The networks that look at pictures: the loss network, and the extractors of features."""

    def __init__(self, device: torch.device, extractors: Sequence[Extractor] = ()):
        self.network = LossNetwork().to(device)
        self.extractors = extractors

    def look(self, picture: Tensor) -> Observation:
        """picture [1,3,H,W] in 0..1."""
        maps = self.network(picture)
        # One pass over the maps gives both statistics, in half the time of two.
        grams, moments = style_statistics(maps)
        features = {each.name: each(picture, maps) for each in self.extractors}
        return Observation(normalized(maps[CONTENT_LAYER]), grams, moments, features)


def likeness(
    painted: Tensor, seen: Observation, photo: Tensor, photo_seen: Observation, lpips: Lpips | None = None
) -> dict[str, float]:
    """How much of `photo` is left in `painted`, both [1,3,H,W]: content loss, SSIM and, if given, LPIPS."""
    scores = {
        "content": (seen.content - photo_seen.content).square().mean().item(),
        "ssim": ssim(painted, photo).item(),
    }
    return scores | ({"lpips": lpips(painted, photo)} if lpips else {})


def style_losses(seen: Observation, grams: dict[str, Tensor], moments: dict[str, Tensor]) -> dict[str, float]:
    """How far a picture is from a painting with these statistics."""
    return {
        "gram": gram_loss(seen.grams, grams).item(),
        "mean_std": mean_std_loss(seen.moments, moments).item(),
    }
