"""Scores of a painted picture beside its photo and its painting, and its features for set distances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.quality.pairs import Pair
from brushwork.base.shipped import VGG_WEIGHTS
from brushwork.evaluation import observer, similarity
from brushwork.evaluation.observer import Observation, Observer, likeness, style_losses
from brushwork.models.perception import feature_losses, statistics, vgg
from brushwork.models.perception.extractors import Extractor
from brushwork.models.perception.statistics import StyleStatistics
from brushwork.pictures import color, tensors

Scores = dict[str, float]


class Scorer:
    """Scores pictures; keeps the observations of the last photo, and of every painting so far."""

    def __init__(self, device: str, extractors: Sequence[Extractor] = ()):
        self.observer = Observer(torch.device(device), extractors)
        self.extractors = extractors
        self.paintings: dict[Path, Sequence[StyleStatistics]] = {}
        self.photo: tuple[Path, Observation] | None = None

    @property
    def identity(self) -> str:
        """Changes with the formulas, the loss network's weights and the choice of extractors."""
        extractors = [part for each in self.extractors for part in (each.name, type(each))]
        formulas = (vgg, statistics, feature_losses, observer, similarity, color, tensors, Scorer)
        return fingerprint(VGG_WEIGHTS, *formulas, *extractors)

    @torch.inference_mode()
    def look(self, picture: Tensor) -> Observation:
        """picture [1,3,H,W] in 0..1."""
        return self.observer.look(picture)

    def score(self, painted: Tensor, content: Tensor, style: Tensor, pair: Pair) -> Scores:
        """Three [1,3,H,W] in 0..1; `painted` as large as `content`."""
        return self.examine(painted, content, style, pair)[0]

    @torch.inference_mode()
    def examine(
        self, painted: Tensor, content: Tensor, style: Tensor, pair: Pair
    ) -> tuple[Scores, Observation]:
        """`score`, and the observation of the painted picture."""
        photo = self._photo(pair.content, content)
        seen = photo if torch.equal(painted, content) else self.look(painted)
        kept = likeness(painted, seen, content, photo)
        taken_on = style_losses(seen, self._painting(pair.style, style))
        return {"content": kept["content"], **taken_on, "ssim": kept["ssim"]}, seen

    def _photo(self, path: Path, content: Tensor) -> Observation:
        if self.photo is None or self.photo[0] != path:
            self.photo = path, self.look(content)
        return self.photo[1]

    def _painting(self, path: Path, style: Tensor) -> Sequence[StyleStatistics]:
        if path not in self.paintings:
            self.paintings[path] = self.look(style).styles
        return self.paintings[path]
