"""What is measured on one painted picture, beside its photo and its painting."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.perception.extractors import build_extractor
from ..models.perception.statistics import gram_loss, mean_std_loss, normalized, style_statistics
from ..models.perception.vgg import CONTENT_LAYER, LossNetwork
from .similarity import Lpips, ssim

# What a photo that nobody painted on scores, whatever the painting.
UNTOUCHED = {"content": 0.0, "ssim": 1.0, "lpips": 0.0}


@dataclass(frozen=True)
class Seen:
    """What the networks see in a picture: normalised content maps [1,512,S/8,S/8], Gram matrices
    [1,C,C] and moments [1,2,C] by layer, and the features [1,D] for FID and KID."""

    content: Tensor
    grams: dict[str, Tensor]
    moments: dict[str, Tensor]
    features: Tensor


class Measures:
    """The networks that look at pictures. `lpips_note` says why LPIPS is not measured, if it is not."""

    def __init__(self, features: str, device: torch.device):
        """Raises ValueError, one sentence, if the extractor `features` is not available."""
        self.network = LossNetwork().to(device)
        self.extractor = build_extractor(features, device)
        self.lpips: Lpips | None = None
        self.lpips_note = ""
        try:
            self.lpips = Lpips(device)
        except ValueError as error:
            self.lpips_note = str(error)

    def look(self, picture: Tensor) -> Seen:
        """picture [1,3,S,S] in 0..1."""
        maps = self.network(picture)
        grams, moments = style_statistics(maps)
        return Seen(normalized(maps[CONTENT_LAYER]), grams, moments, self.extractor(picture, maps))

    def likeness(self, painted: Tensor, seen: Seen, photo: Tensor, of_photo: Seen) -> dict[str, float]:
        """How much of the photo is left: content loss, SSIM and, where it can be had, LPIPS."""
        scores = {
            "content": (seen.content - of_photo.content).square().mean().item(),
            "ssim": ssim(painted, photo),
        }
        return scores | ({"lpips": self.lpips(painted, photo)} if self.lpips else {})


def style_losses(seen: Seen, grams: dict[str, Tensor], moments: dict[str, Tensor]) -> dict[str, float]:
    """How far a picture is from a painting with these statistics."""
    return {
        "gram": gram_loss(seen.grams, grams).item(),
        "mean_std": mean_std_loss(seen.moments, moments).item(),
    }
