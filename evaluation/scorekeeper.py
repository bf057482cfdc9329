"""The scores of an evaluation as they come in, and the report that they make in the end."""

from __future__ import annotations

import statistics
from collections import defaultdict

from PIL import Image
from torch import Tensor

from ..base.counts import counted
from .diversity import style_spread
from .observer import UNTOUCHED
from .options import EvaluationOptions
from .report import Evaluation, Score, number
from .set_distances import SetDistances

# Below this many pairs FID and KID are too noisy to publish.
FEW_SAMPLES = 2000
# Paintings whose moments are kept, 8 kB each, to compare them with each other.
SPREAD_PAINTINGS = 256
PAIR_SCORES = (
    "content",
    "gram",
    "gram_half",
    "gram_quarter",
    "mean_std",
    "mean_std_half",
    "mean_std_quarter",
    "ssim",
    "lpips",
)
_TOO_FEW = "Needs at least two paintings and two results."


class Scorekeeper:
    """Scores as they come in. `notes` says by a score's name why it is missing."""

    def __init__(self, options: EvaluationOptions, num_features: int):
        self.options = options
        self.notes: dict[str, str] = {}
        self.photos = self.paintings = self.pairs = 0
        self._distances = SetDistances(
            ("painted", "untouched"), num_features, options.kid_subset_size, options.kid_subsets
        )
        self._painted: dict[str, list[float]] = defaultdict(list)
        self._untouched: dict[str, list[float]] = defaultdict(list)
        self._painting_moments: list[dict[str, Tensor]] = []
        self._random_spreads: list[float] = []

    def add_photo(self, features: Tensor) -> None:
        """A photo that has not been seen before, features [1,D]."""
        self.photos += 1
        self._distances.add("untouched", features)

    def add_painting(self, features: Tensor, moments: dict[str, Tensor]) -> None:
        """A painting that has not been seen before."""
        self.paintings += 1
        self._distances.add_paintings(features)
        if len(self._painting_moments) < SPREAD_PAINTINGS:
            self._painting_moments.append(moments)

    def add_pair(self, features: Tensor, painted: dict[str, float], untouched: dict[str, float]) -> None:
        """A painted picture's features and scores, and what the photo itself scores."""
        self.pairs += 1
        self._distances.add("painted", features)
        for found, scores in ((self._painted, painted), (self._untouched, untouched | UNTOUCHED)):
            for name, value in scores.items():
                found[name].append(value)

    def add_random_styles(self, moments: list[dict[str, Tensor]]) -> None:
        """The moments of one photo painted in every random style."""
        self._random_spreads.append(style_spread(moments))

    def evaluation(self, wanted_pairs: int, features: str, device: str, sheet: Image.Image) -> Evaluation:
        """The report; fewer pairs than `wanted_pairs` mean that it was stopped."""
        # Very small pictures have no half or quarter size; such scores are left out without a note.
        named = [name for name in PAIR_SCORES if self._painted[name] or name in self.notes]
        scores = {name: self._pair_score(name) for name in named}
        return Evaluation(
            scores={**self._set_scores(), **scores, "diversity": self._diversity()},
            options=self.options,
            pairs=self.pairs,
            photos=self.photos,
            paintings=self.paintings,
            features=features,
            device=device,
            warnings=tuple(self._warnings(wanted_pairs)),
            sheet=sheet,
        )

    def _set_scores(self) -> dict[str, Score]:
        distances, fid, kid, options = self._distances, {}, {}, self.options
        for name in ("painted", "untouched"):
            if distances.enough(name):
                fid[name] = distances.fid(name)
                kid[name] = distances.kid(name, options.seed)
        if "painted" not in fid:
            return {"fid": Score(why_none=_TOO_FEW), "kid": Score(why_none=_TOO_FEW)}
        found = kid["painted"]
        parts = {
            "deviation": found.deviation,
            "subsets": options.kid_subsets,
            "subset_size": found.subset_size,
        }
        subsets = counted(options.kid_subsets, "subset")
        details = f"± {number(found.deviation)}, {subsets} of {found.subset_size}"
        untouched = kid["untouched"].mean if "untouched" in kid else None
        return {
            "fid": Score(fid["painted"], fid.get("untouched")),
            "kid": Score(found.mean, untouched, parts, details),
        }

    def _pair_score(self, name: str) -> Score:
        painted, untouched = self._painted[name], self._untouched[name]
        if not painted:
            return Score(why_none=self.notes[name])
        mean = statistics.fmean(painted)
        median, median_untouched = statistics.median(painted), statistics.median(untouched)
        return Score(median, median_untouched, {"mean": mean}, f"mean {number(mean)}")

    def _diversity(self) -> Score:
        if not self._random_spreads:
            return Score(why_none=self.notes.get("diversity", "Left out."))
        if len(self._painting_moments) < 2:
            return Score(why_none="Needs at least two paintings to compare with.")
        random, real = statistics.fmean(self._random_spreads), style_spread(self._painting_moments)
        if not real:
            return Score(why_none="The paintings are all alike; needs two that differ.")
        details = f"{number(random)} / {number(real)}"
        return Score(random / real, None, {"of_styles": random, "of_paintings": real}, details)

    def _warnings(self, wanted_pairs: int) -> list[str]:
        found = []
        if self.pairs < wanted_pairs:
            painted = f"{self.pairs} of {counted(wanted_pairs, 'pair')}"
            found.append(f"Stopped after {painted}, which go photo by photo.")
        elif self.pairs < self.options.samples:
            asked = counted(self.options.samples, "sample")
            found.append(f"You asked for {asked}, and there are only {counted(self.pairs, 'pair')}.")
        if min(self.pairs, self.paintings) < FEW_SAMPLES:
            sets = f"{counted(self.pairs, 'result')} with {counted(self.paintings, 'painting')}"
            found.append(
                f"FID and KID compare {sets}. Below {FEW_SAMPLES} of each, FID is too high and KID is noisy: "
                "compare them only with evaluations of the same pairs."
            )
        return found
