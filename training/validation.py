"""Validation: how well a painter paints pictures that it is not trained on, as one score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from ..models.perception.statistics import (
    content_loss,
    gram_loss,
    mean_std_loss,
    normalized,
    style_statistics,
)
from ..models.perception.vgg import CONTENT_LAYER, LossNetwork
from ..pictures.reading import Picture
from ..pictures.tensors import load_square
from .options import LossWeights
from .painter import Painter

# Photos, and paintings painted like one by one, at most; paintings behind the mean statistics that the
# learned style is compared with; and the side in pixels of them all.
LIMIT, LIMIT_COLLECTION, SIDE = 4, 24, 256


T = TypeVar("T")
StyleStatistics = tuple[dict[str, Tensor], dict[str, Tensor]]
PARTS = ("content", "gram", "mean_std")


@dataclass(frozen=True)
class Scores:
    """Losses over the validation pairs, means; `total` weighs them as the training does."""

    content: float
    gram: float
    mean_std: float
    total: float

    @property
    def style(self) -> float:
        """The style loss as `LossWeights.style` weighs it: Gram plus twice mean/std."""
        return self.gram + 2 * self.mean_std

    def as_dict(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 5) for name in ("content", "gram", "mean_std", "total")}


class Validation:
    """Scores painters at 256 px on up to 4 photos, in one or both of two ways, whose mean counts.

    `paintings`, up to 4: the photos are painted with each one's own code, as with EncodeStyle.
    `collection`: the learned code is compared with the mean statistics of up to 24 paintings, since it
    stands for them all.
    """

    def __init__(
        self,
        photos: Sequence[Picture],
        paintings: Sequence[Picture],
        collection: Sequence[Picture],
        network: LossNetwork,
        weights: LossWeights,
        device: torch.device,
    ):
        self.network, self.weights, self.device = network, weights, device
        self.photos = [load_square(p, SIDE).to(device) for p in spread(photos, LIMIT)]
        self.paintings = [load_square(p, SIDE).to(device) for p in spread(paintings, LIMIT)]
        with torch.no_grad():
            self._content = [normalized(network(photo)[CONTENT_LAYER]) for photo in self.photos]
            self._style = [style_statistics(network(painting)) for painting in self.paintings]
            self._mean = self._mean_statistics(spread(collection, LIMIT_COLLECTION)) if collection else None

    def _mean_statistics(self, collection: Sequence[Picture]) -> StyleStatistics:
        each = [style_statistics(self.network(load_square(p, SIDE).to(self.device))) for p in collection]
        grams, moments = (mean_by_layer(kind) for kind in zip(*each, strict=True))
        return grams, moments

    def score(self, painter: Painter) -> Scores:
        """The losses of `painter`, as means over both ways."""
        found = [scores for scores in (self.score_paintings(painter), self.score_learned(painter)) if scores]
        means = {name: sum(getattr(s, name) for s in found) / len(found) for name in PARTS}
        return Scores(**means, total=sum(self.weights.factor(name) * value for name, value in means.items()))

    def score_paintings(self, painter: Painter) -> Scores | None:
        """Each painting's own code; None without paintings."""
        return self._score(painter, [painter.gan.encode_style(p) for p in self.paintings], self._style)

    def score_learned(self, painter: Painter) -> Scores | None:
        """The learned code; None without a collection."""
        if self._mean is None or painter.code is None:
            return None
        return self._score(painter, [painter.code], [self._mean])

    @torch.no_grad()
    def _score(
        self, painter: Painter, codes: Sequence[Tensor], styles: Sequence[StyleStatistics]
    ) -> Scores | None:
        if not codes:
            return None
        sums = torch.zeros(3, dtype=torch.float64)
        for code, wanted in zip(codes, styles, strict=True):
            for photo, target in zip(self.photos, self._content, strict=True):
                sums += self._pair(painter, photo, code, target, wanted)
        means = dict(zip(PARTS, (sums / (len(self.photos) * len(codes))).tolist(), strict=True))
        return Scores(**means, total=sum(self.weights.factor(name) * value for name, value in means.items()))

    def _pair(
        self, painter: Painter, photo: Tensor, code: Tensor, content: Tensor, style: StyleStatistics
    ) -> Tensor:
        gan = painter.gan
        features = self.network(gan.generate(gan.encode_content(photo), code))
        grams, moments = style_statistics(features)
        return (
            torch.stack(
                [
                    content_loss(features[CONTENT_LAYER], content),
                    gram_loss(grams, style[0]),
                    mean_std_loss(moments, style[1]),
                ]
            )
            .double()
            .cpu()
        )


def mean_by_layer(each: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several statistics, layer by layer."""
    return {name: torch.stack([s[name] for s in each]).mean(0) for name in each[0]}


def spread(pictures: Sequence[T], count: int) -> list[T]:
    """`count` of the pictures, evenly spread, because neighbours by name are often by one artist."""
    return list(pictures[:: max(1, len(pictures) // count)][:count])
