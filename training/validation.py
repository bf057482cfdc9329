"""Validation: how well a painter paints pictures that it is not trained on, as one score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import torch
from torch import Tensor

from ..models.perception.feature_losses import content_loss, gram_loss, mean_std_loss
from ..models.perception.statistics import (
    SIZES,
    StyleStatistics,
    normalized,
    sized_pictures,
    style_at_sizes,
    style_statistics,
)
from ..models.perception.vgg import CONTENT_LAYER, LossNetwork
from ..pictures.reading import Picture
from ..pictures.tensors import load_square
from .options import TrainOptions
from .painter import Painter

# Photos, and paintings painted like one by one, at most; paintings behind the mean statistics that the
# learned style is compared with; and the side in pixels of them all.
LIMIT, LIMIT_COLLECTION, SIDE = 4, 24, 256


T = TypeVar("T")


@dataclass(frozen=True)
class Scores:
    """Losses over the validation pairs, means; `total` weighs them as the training does."""

    content: float
    gram: float
    """Over the sizes of the pictures, with their shares; so is `mean_std`."""
    mean_std: float
    total: float
    style_whole: float
    """Gram plus twice mean/std at one size alone; so are the next two."""
    style_half: float
    style_quarter: float

    @property
    def style(self) -> float:
        """The style loss as `LossWeights.style` weighs it: Gram plus twice mean/std."""
        return self.gram + 2 * self.mean_std

    def as_dict(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


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
        options: TrainOptions,
        device: torch.device,
    ):
        """The weights of the losses and the shares of the sizes are those of `options`."""
        self.network, self.weights, self.device = network, options.weights, device
        self.shares = torch.tensor(options.size_shares, dtype=torch.float64)
        self.photos = [load_square(p, SIDE).to(device) for p in spread(photos, LIMIT)]
        self.paintings = [load_square(p, SIDE).to(device) for p in spread(paintings, LIMIT)]
        with torch.no_grad():
            self._content = [normalized(network(photo)[CONTENT_LAYER]) for photo in self.photos]
            self._style = [style_at_sizes(network, painting) for painting in self.paintings]
            self._mean = self._mean_statistics(spread(collection, LIMIT_COLLECTION)) if collection else None

    def _mean_statistics(self, collection: Sequence[Picture]) -> list[StyleStatistics]:
        each = [style_at_sizes(self.network, load_square(p, SIDE).to(self.device)) for p in collection]
        return [
            (mean_by_layer([grams for grams, _ in at_size]), mean_by_layer([m for _, m in at_size]))
            for at_size in zip(*each, strict=True)
        ]

    def score(self, painter: Painter) -> Scores:
        """The losses of `painter`, as means over both ways."""
        found = [scores for scores in (self.score_paintings(painter), self.score_learned(painter)) if scores]
        each = [asdict(scores) for scores in found]
        return Scores(**{name: sum(scores[name] for scores in each) / len(each) for name in each[0]})

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
        self, painter: Painter, codes: Sequence[Tensor], styles: Sequence[list[StyleStatistics]]
    ) -> Scores | None:
        if not codes:
            return None
        pairs = [
            self._pair(painter, photo, code, target, wanted)
            for code, wanted in zip(codes, styles, strict=True)
            for photo, target in zip(self.photos, self._content, strict=True)
        ]
        content, *by_size = torch.stack(pairs).mean(0).split([1, len(SIZES), len(SIZES)])
        gram, mean_std = (float(self.shares @ losses) for losses in by_size)
        losses = {"content": float(content), "gram": gram, "mean_std": mean_std}
        return Scores(
            **losses,
            total=sum(self.weights.factor(name) * value for name, value in losses.items()),
            **{
                f"style_{name}": value
                for name, value in zip(SIZES, (by_size[0] + 2 * by_size[1]).tolist(), strict=True)
            },
        )

    def _pair(
        self, painter: Painter, photo: Tensor, code: Tensor, content: Tensor, style: list[StyleStatistics]
    ) -> Tensor:
        """The content loss, then Gram and then mean/std loss at each size: [7], float64, on the CPU."""
        gan = painter.gan
        features = [
            self.network(picture) for picture in sized_pictures(gan.generate(gan.encode_content(photo), code))
        ]
        found = [style_statistics(each) for each in features]
        losses = [
            content_loss(features[0][CONTENT_LAYER], content),
            *(gram_loss(a[0], b[0]) for a, b in zip(found, style, strict=True)),
            *(mean_std_loss(a[1], b[1]) for a, b in zip(found, style, strict=True)),
        ]
        return torch.stack(losses).cpu().double()


def mean_by_layer(each: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of several statistics, layer by layer."""
    return {name: torch.stack([s[name] for s in each]).mean(0) for name in each[0]}


def spread(pictures: Sequence[T], count: int) -> list[T]:
    """`count` of the pictures, evenly spread, because neighbours by name are often by one artist.

    >>> spread("abcdefg", 4)
    ['a', 'b', 'd', 'f']
    """
    chosen = min(count, len(pictures))
    return [pictures[i * len(pictures) // chosen] for i in range(chosen)]
