"""How well a network paints, in numbers: distances to real paintings, losses, likeness, diversity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from PIL import Image
from torch import Tensor

from ..models.content_encoder import ContentCode
from ..models.devices import own_defaults
from ..models.perception.extractors import build_extractor
from ..models.perception.statistics import StyleStatistics
from ..models.style_gan import StyleGAN
from ..pictures.comparison_sheet import Column, ComparisonSheet, fitted
from ..pictures.reading import Picture
from ..pictures.tensors import as_picture, load_square, rounded
from .observer import Observation, Observer, likeness, style_losses
from .options import EvaluationOptions
from .pairs import draw_pairs
from .report import Evaluation
from .scorekeeper import Scorekeeper
from .set_distances import require_torchmetrics
from .similarity import Lpips

SHEET_ROWS = 8
SHEET_CELL = 320
# Photos that every random style is painted on.
DIVERSITY_PHOTOS = 3
# This many paintings' Gram matrices are kept, 4.2 MB each, in case the paintings return.
KEPT_PAINTINGS = 64

# Called with how many pictures are done, how many there are in all, and the last one [1,3,S,S].
ProgressReport = Callable[[int, int, Tensor], None]


@own_defaults()
@torch.inference_mode()
def evaluate(
    gan: StyleGAN,
    contents: Sequence[Picture],
    styles: Sequence[Picture],
    options: EvaluationOptions | None = None,
    progress: ProgressReport | None = None,
    stop: Callable[[], bool] | None = None,
) -> Evaluation:
    """Paint pairs of a photo and a painting and score them, on the device that `gan` is on.

    `stop` is called after every picture; if it returns true, the evaluation is that of the pairs so far.
    One picture is in memory at a time. The others leave only their features, and `SHEET_ROWS` pairs a
    small copy for the sheet.

    Raises MissingPackageError without torchmetrics; ValueError, one sentence, if there are no photos or no
    paintings, or if the features are not available; OSError for a file that cannot be decoded.
    """
    require_torchmetrics()
    evaluator = _Evaluator(gan, contents, styles, options or EvaluationOptions())
    for done, picture in enumerate(evaluator.pictures(), 1):
        if progress:
            progress(done, evaluator.total, picture)
        if done < evaluator.total and stop and stop():
            break
    return evaluator.result()


@dataclass(frozen=True)
class _Photo:
    """The photo whose pairs are being painted, [1,3,S,S]."""

    picture: Tensor
    code: ContentCode
    seen: Observation


@dataclass(frozen=True)
class _Painting:
    """What is kept of a painting in case it returns, without its pixels."""

    code: Tensor
    styles: Sequence[StyleStatistics]
    shown: Image.Image


class _Evaluator:
    """One evaluation, a picture at a time."""

    def __init__(
        self,
        gan: StyleGAN,
        contents: Sequence[Picture],
        styles: Sequence[Picture],
        options: EvaluationOptions,
    ):
        self.gan, self.contents, self.styles, self.options = gan, contents, styles, options
        # Photo by photo, so that the values of a photo are computed once and need not be kept.
        self.pairs = sorted(draw_pairs(len(contents), len(styles), options.samples, options.seed))

        # The networks that look at the pictures, and the keeper of their scores.
        self.device = next(gan.parameters()).device
        self.extractor = build_extractor(options.features, self.device)
        self.observer = Observer(self.device, [self.extractor])
        self.scores = Scorekeeper(options, self.extractor.num_features)
        self.lpips = self._find_lpips()

        # The random styles whose diversity is measured, and the photos that are painted in them.
        self.random_codes: Sequence[Tensor] = ()
        if gan.space is None:
            self.scores.notes["diversity"] = "The checkpoint stores no style distribution."
        elif options.random_styles:
            self.random_codes = gan.sample_style(options.seed, options.random_styles, options.psi).split(1)
        self.random_photos = sorted({content for content, _ in self.pairs})[:DIVERSITY_PHOTOS]
        self.total = len(self.pairs) + len(self.random_codes) * len(self.random_photos)

        cell = min(options.side, SHEET_CELL)
        self.sheet = ComparisonSheet([Column(title, cell) for title in ("photo", "painting", "result")])
        self.kept: dict[int, _Painting] = {}
        self.known: set[int] = set()

    def _find_lpips(self) -> Lpips | None:
        try:
            return Lpips(self.device)
        except ValueError as error:
            self.scores.notes["lpips"] = str(error)
            return None

    def pictures(self) -> Iterator[Tensor]:
        """Paint and score one picture after the other."""
        shown = {i * len(self.pairs) // SHEET_ROWS for i in range(SHEET_ROWS)}
        numbered = enumerate(self.pairs)
        for content, pairs in groupby(numbered, key=lambda item: item[1][0]):
            photo = self._photo(content)
            self.scores.add_photo(self._features(photo.seen))
            for number, (_, style) in pairs:
                painting = self._painting(style)
                painted = self._score(photo, painting)
                if number in shown:
                    row = as_picture(photo.picture[0]), painting.shown, as_picture(painted[0])
                    self.sheet.add_row(row, number + 1)
                yield painted
        for content in self.random_photos if self.random_codes else ():
            yield from self._in_random_styles(self._load(self.contents[content]))

    def result(self) -> Evaluation:
        """The evaluation of the pictures painted so far."""
        description = self.extractor.description
        return self.scores.evaluation(len(self.pairs), description, str(self.device), self.sheet.draw())

    def _features(self, seen: Observation) -> Tensor:
        return seen.features[self.extractor.name]

    def _photo(self, index: int) -> _Photo:
        picture = self._load(self.contents[index])
        return _Photo(picture, self.gan.encode_content(picture), self.observer.look(picture))

    def _painting(self, index: int) -> _Painting:
        if index in self.kept:
            return self.kept[index]
        picture = self._load(self.styles[index])
        seen = self.observer.look(picture)
        if index not in self.known:
            self.known.add(index)
            self.scores.add_painting(self._features(seen), seen.moments)
        shown = fitted(as_picture(picture[0]), SHEET_CELL)
        painting = _Painting(self.gan.encode_style(picture), seen.styles, shown)
        if len(self.kept) < KEPT_PAINTINGS:
            self.kept[index] = painting
        return painting

    def _score(self, photo: _Photo, painting: _Painting) -> Tensor:
        painted = rounded(self.gan.generate(photo.code, painting.code))
        seen = self.observer.look(painted)
        scores = likeness(painted, seen, photo.picture, photo.seen, self.lpips)
        scores |= style_losses(seen, painting.styles)
        untouched = style_losses(photo.seen, painting.styles)
        self.scores.add_pair(self._features(seen), scores, untouched)
        return painted

    def _in_random_styles(self, photo: Tensor) -> Iterator[Tensor]:
        content, moments = self.gan.encode_content(photo), []
        for code in self.random_codes:
            painted = rounded(self.gan.generate(content, code.to(self.device)))
            moments.append(self.observer.look(painted).moments)
            yield painted
        self.scores.add_random_styles(moments)

    def _load(self, picture: Picture) -> Tensor:
        return load_square(picture, self.options.side).to(self.device)
