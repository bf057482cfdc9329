"""Scores of a painted picture beside its photo and its painting, and its features for set distances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.pictures import load_picture, rounded
from benchmarks.quality.pairs import Pair
from benchmarks.ssim import ssim
from brushwork.base.shipped import VGG_WEIGHTS
from brushwork.models.perception.extractors import Extractor
from brushwork.models.perception.statistics import (
    gram_and_mean,
    gram_loss,
    mean_std,
    mean_std_loss,
    normalized,
    relative_error,
    style_statistics,
)
from brushwork.models.perception.vgg import CONTENT_LAYER, LossNetwork

Scores = dict[str, float]


@dataclass(frozen=True)
class Seen:
    """What the loss network sees in a picture: normalised relu4_1 [1,512,H/8,W/8], Gram matrices [1,C,C]
    and moments [1,2,C] by layer, and by extractor the features [D]."""

    content: Tensor
    grams: dict[str, Tensor]
    moments: dict[str, Tensor]
    features: dict[str, Tensor]


class Judge:
    """Scores pictures; keeps what belongs to the last photo and to every painting it has seen."""

    def __init__(self, device: str, extractors: Sequence[Extractor] = ()):
        self.network = LossNetwork().to(device)
        self.extractors = extractors
        self.paintings: dict[Path, tuple[dict[str, Tensor], dict[str, Tensor]]] = {}
        self.photo: tuple[Path, Seen] | None = None

    @property
    def identity(self) -> str:
        """Changes with the formulas, the loss network's weights and the choice of extractors."""
        formulas = (style_statistics, gram_and_mean, gram_loss, mean_std_loss)
        details = (relative_error, normalized, mean_std, ssim, load_picture, rounded)
        extractors = [part for each in self.extractors for part in (each.name, type(each))]
        return fingerprint(VGG_WEIGHTS, LossNetwork, Judge, *formulas, *details, *extractors)

    @torch.inference_mode()
    def look(self, picture: Tensor) -> Seen:
        """picture [1,3,H,W] in 0..1."""
        maps = self.network(picture)
        # One pass over the features gives both: half the time of two, equal to 1e-6 of a moment.
        grams, moments = style_statistics(maps)
        features = {each.name: each(picture, maps)[0].cpu() for each in self.extractors}
        return Seen(normalized(maps[CONTENT_LAYER]), grams, moments, features)

    def score(self, painted: Tensor, content: Tensor, style: Tensor, pair: Pair) -> Scores:
        """Three [1,3,H,W] in 0..1; `painted` as large as `content`."""
        return self.examine(painted, content, style, pair)[0]

    @torch.inference_mode()
    def examine(self, painted: Tensor, content: Tensor, style: Tensor, pair: Pair) -> tuple[Scores, Seen]:
        """`score`, and what was seen in the painted picture."""
        photo = self._photo(pair.content, content)
        grams, moments = self._painting(pair.style, style)
        seen = photo if torch.equal(painted, content) else self.look(painted)
        return {
            "content": (seen.content - photo.content).square().mean().item(),
            "gram": gram_loss(seen.grams, grams).item(),
            "mean_std": mean_std_loss(seen.moments, moments).item(),
            "ssim": ssim(painted, content).item(),
        }, seen

    def _photo(self, path: Path, content: Tensor) -> Seen:
        if self.photo is None or self.photo[0] != path:
            self.photo = path, self.look(content)
        return self.photo[1]

    def _painting(self, path: Path, style: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        if path not in self.paintings:
            seen = self.look(style)
            self.paintings[path] = seen.grams, seen.moments
        return self.paintings[path]
