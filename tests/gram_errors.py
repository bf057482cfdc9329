"""How far two pictures are apart in Gram matrices, by the size at which they are seen."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from brushwork.models.perception.feature_losses import gram_loss
from brushwork.models.perception.statistics import SIZES, StyleStatistics


def gram_errors(found: Sequence[StyleStatistics], target: Sequence[StyleStatistics]) -> dict[str, Tensor]:
    """`gram_loss` by the name of the size: {"whole": …, "half": …, "quarter": …}, scalars.

    The arguments come from `style_at_sizes`; sizes that only one of them has are left out.
    """
    sizes = zip(SIZES, found, target, strict=False)
    return {name: gram_loss(grams, wanted) for name, (grams, _), (wanted, _) in sizes}
