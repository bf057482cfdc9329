"""Validation: how well a painter paints pictures that it is not trained on, as one score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from . import losses
from .options import LossWeights
from .painter import Painter
from .pictures import Picture
from .sheet import load_square
from .vgg import CONTENT_LAYER, LossNetwork

# Pictures of either kind at most, paintings where one style stands for them all, and the side in pixels
# at which they are compared.
LIMIT, LIMIT_LEARNED, SIDE = 4, 16, 256


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
    """Scores painters on up to 4 photos in up to 4 styles, at 256 px.

    Each painting is painted like by its own code, as a user would do. Only where a code is all that is
    learned it is that code that is scored: against the mean statistics of up to 16 paintings, since it
    stands for them all.
    """

    def __init__(
        self,
        photos: Sequence[Picture],
        paintings: Sequence[Picture],
        network: LossNetwork,
        weights: LossWeights,
        device: torch.device,
        learned: bool,
    ):
        self.network, self.weights, self.learned = network, weights, learned
        self.photos = [load_square(p, SIDE).to(device) for p in spread(photos, LIMIT)]
        limit = LIMIT_LEARNED if learned else LIMIT
        self.paintings = [load_square(p, SIDE).to(device) for p in spread(paintings, limit)]
        with torch.no_grad():
            self._content = [losses.normalised(network(photo)[CONTENT_LAYER]) for photo in self.photos]
            self._style = [losses.style_statistics(network(painting)) for painting in self.paintings]
            if learned:
                kinds = zip(*self._style, strict=True)
                self._style = [tuple(mean_by_layer(statistics) for statistics in kinds)]

    @torch.no_grad()
    def score(self, painter: Painter) -> Scores:
        """The losses of `painter`."""
        codes = [painter.code] if self.learned else [painter.gan.encode_style(p) for p in self.paintings]
        sums = torch.zeros(3, dtype=torch.float64)
        for code, statistics in zip(codes, self._style, strict=True):
            for photo, target in zip(self.photos, self._content, strict=True):
                sums += self._pair(painter, photo, code, target, statistics)
        content, gram, mean_std = (sums / (len(self.photos) * len(codes))).tolist()
        parts = {"content": content, "gram": gram, "mean_std": mean_std}
        return Scores(**parts, total=sum(self.weights.of(name) * value for name, value in parts.items()))

    def _pair(
        self, painter: Painter, photo: Tensor, code: Tensor, content: Tensor, style: tuple[Any, Any]
    ) -> Tensor:
        gan = painter.gan
        features = self.network(gan.generate(gan.encode_content(photo), code))
        grams, moments = losses.style_statistics(features)
        return (
            torch.stack(
                [
                    losses.content_loss(features[CONTENT_LAYER], content)[0],
                    losses.gram_loss(grams, style[0])[0],
                    losses.mean_std_loss(moments, style[1])[0],
                ]
            )
            .double()
            .cpu()
        )


def mean_by_layer(statistics: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several statistics, layer by layer."""
    return {name: torch.stack([s[name] for s in statistics]).mean(0) for name in statistics[0]}


def spread(pictures: Sequence[Picture], count: int) -> list[Picture]:
    """`count` of the pictures, evenly spread: neighbours by name are often by one hand."""
    return list(pictures[:: max(1, len(pictures) // count)][:count])
