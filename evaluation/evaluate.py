"""How well a network paints, in numbers: distances to real paintings, losses, likeness, diversity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from ..models.content_encoder import ContentCode
from ..models.style_gan import StyleGAN
from ..pictures.comparison_sheet import Column, ComparisonSheet, fitted
from ..pictures.reading import Picture
from ..pictures.tensors import as_picture, load_square
from .measures import Measures, Seen, style_losses
from .options import EvaluationOptions
from .pairs import draw_pairs
from .report import Evaluation
from .scorekeeper import Findings
from .set_distances import require_torchmetrics

SHEET_ROWS = 8
SHEET_CELL = 320
# Photos that every random style is painted on.
DIVERSITY_PHOTOS = 3
# Paintings whose Gram matrices are kept, 1.4 MB each, in case they return.
KEPT_PAINTINGS = 64

# Called with how many pictures are done, how many there are in all, and the last one [1,3,S,S].
ProgressReport = Callable[[int, int, Tensor], None]


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

    `stop` is asked after every picture; when it says yes, the pairs painted so far are the evaluation.
    One picture is in memory at a time; of the others only features are kept, and of `SHEET_ROWS`
    pairs a small copy for the sheet.

    Raises MissingPackageError without torchmetrics, ValueError, one sentence, where there are
    no photos or no paintings, or the features that were asked for are not available, and OSError for
    a file that cannot be decoded.
    """
    require_torchmetrics()
    run = _Run(gan, contents, styles, options or EvaluationOptions())
    for done, picture in enumerate(run.pictures(), 1):
        if progress:
            progress(done, run.total, picture)
        if done < run.total and stop and stop():
            break
    return run.result()


@dataclass(frozen=True)
class _Photo:
    """The photo whose pairs are being painted, [1,3,S,S]."""

    picture: Tensor
    code: ContentCode
    seen: Seen


@dataclass(frozen=True)
class _Painting:
    """What is needed of a painting when it returns: not its pixels."""

    code: Tensor
    grams: dict[str, Tensor]
    moments: dict[str, Tensor]
    shown: Image.Image


class _Run:
    """One evaluation, a picture at a time."""

    def __init__(
        self,
        gan: StyleGAN,
        contents: Sequence[Picture],
        styles: Sequence[Picture],
        options: EvaluationOptions,
    ):
        self.gan, self.contents, self.styles, self.options = gan, contents, styles, options
        # By photo, so that what belongs to a photo is computed once and need not be kept.
        self.pairs = sorted(draw_pairs(len(contents), len(styles), options.samples, options.seed))
        self.device = next(gan.parameters()).device
        self.measures = Measures(options.features, self.device)
        self.findings = Findings(options, self.measures.extractor.num_features)
        self.findings.notes["lpips"] = self.measures.lpips_note
        self.random_codes: Sequence[Tensor] = ()
        if gan.space is None:
            self.findings.notes["diversity"] = "The checkpoint stores no style distribution."
        elif options.random_styles:
            self.random_codes = gan.sample_style(options.seed, options.random_styles, options.psi).split(1)
        self.random_photos = sorted({content for content, _ in self.pairs})[:DIVERSITY_PHOTOS]
        self.total = len(self.pairs) + len(self.random_codes) * len(self.random_photos)
        cell = min(options.side, SHEET_CELL)
        self.sheet = ComparisonSheet([Column(title, cell) for title in ("photo", "painting", "result")])
        self.kept: dict[int, _Painting] = {}
        self.known: set[int] = set()

    def pictures(self) -> Iterator[Tensor]:
        """Paint and score one picture after the other."""
        shown = {i * len(self.pairs) // SHEET_ROWS for i in range(SHEET_ROWS)}
        last, photo = -1, None
        for number, (content, style) in enumerate(self.pairs):
            if content != last:
                last, photo = content, self._photo(content)
                self.findings.add_photo(photo.seen.features)
            painting = self._painting(style)
            painted = self._score(photo, painting)
            if number in shown:
                row = as_picture(photo.picture[0]), painting.shown, as_picture(painted[0])
                self.sheet.add_row(number + 1, row)
            yield painted
        for content in self.random_photos if self.random_codes else ():
            yield from self._in_random_styles(self._load(self.contents[content]))

    def result(self) -> Evaluation:
        """What was found in the pictures painted so far."""
        description = self.measures.extractor.description
        return self.findings.evaluation(len(self.pairs), description, str(self.device), self.sheet.draw())

    def _photo(self, index: int) -> _Photo:
        picture = self._load(self.contents[index])
        return _Photo(picture, self.gan.encode_content(picture), self.measures.look(picture))

    def _painting(self, index: int) -> _Painting:
        if index in self.kept:
            return self.kept[index]
        picture = self._load(self.styles[index])
        seen = self.measures.look(picture)
        if index not in self.known:
            self.known.add(index)
            self.findings.add_painting(seen.features, seen.moments)
        shown = fitted(as_picture(picture[0]), SHEET_CELL)
        painting = _Painting(self.gan.encode_style(picture), seen.grams, seen.moments, shown)
        if len(self.kept) < KEPT_PAINTINGS:
            self.kept[index] = painting
        return painting

    def _score(self, photo: _Photo, painting: _Painting) -> Tensor:
        painted = _as_saved(self.gan.generate(photo.code, painting.code))
        seen = self.measures.look(painted)
        scores = self.measures.likeness(painted, seen, photo.picture, photo.seen)
        scores |= style_losses(seen, painting.grams, painting.moments)
        untouched = style_losses(photo.seen, painting.grams, painting.moments)
        self.findings.add_pair(seen.features, scores, untouched)
        return painted

    def _in_random_styles(self, photo: Tensor) -> Iterator[Tensor]:
        content, moments = self.gan.encode_content(photo), []
        for code in self.random_codes:
            painted = _as_saved(self.gan.generate(content, code.to(self.device)))
            moments.append(self.measures.look(painted).moments)
            yield painted
        self.findings.add_random_styles(moments)

    def _load(self, picture: Picture) -> Tensor:
        return load_square(picture, self.options.side).to(self.device)


def _as_saved(painted: Tensor) -> Tensor:
    """What a file of 8 bits would hold."""
    return (painted * 255).round() / 255
