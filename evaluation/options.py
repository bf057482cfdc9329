"""The options of an evaluation as one typed object, for the node, the command line and the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..base.choices import PSI
from ..base.settings import check_choice, check_ranges, option
from ..models.perception.extractors import FEATURES


@dataclass(frozen=True)
class EvaluationOptions:
    """Options of one evaluation. Raises ValueError, one sentence, for a value out of its range."""

    samples: int = option(
        100,
        "How many pairs of a photo and a painting are drawn and painted; 2000 or more to publish.",
        1,
        1_000_000,
    )
    side: int = option(256, "Side in pixels of the squares that are painted and compared.", 32, 1024)
    seed: int = option(0, "Draws the pairs, the subsets of KID and the random styles.", 0, 2**63 - 1)
    features: str = option(
        "auto",
        "What FID and KID compare pictures by. vgg19: means of the loss network's channels, always there. "
        "inception: Inception-v3, when its weights are on this machine. auto: inception when it is there, "
        "else vgg19.",
    )
    psi: float = option(PSI, "Variety of the random styles whose diversity is measured.", 0, 2)
    random_styles: int = option(
        12, "How many random styles the diversity is measured on; 0 leaves it out.", 0, 256
    )
    kid_subset_size: int = option(
        50, "Pictures per subset of KID; at most half of what there is.", 2, 100_000
    )
    kid_subsets: int = option(100, "How many subsets KID is averaged over.", 1, 10_000)

    def __post_init__(self) -> None:
        check_choice("features", self.features, FEATURES)
        check_ranges(self)
        if self.random_styles == 1:
            raise ValueError("random_styles is 1; diversity needs 2 or more, and 0 leaves it out.")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
