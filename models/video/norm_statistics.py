"""Statistics of a network's normalisations: recorded from some pictures, pooled, used for others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from ..layer_statistics import own_statistics
from ..normalization import NORM_EPS

NormStatistics = dict[str, Tensor]
"""By the name of a normalisation: mean and variance of every channel, [2,C], or of S styles, [2,S,C].

float64, so that a pool of equal statistics is these statistics exactly: an almost constant channel is divided
by almost nothing, and a rounding error in its mean shows.
"""


class Recorder:
    """`LayerStatistics` that give a picture its own statistics and keep them."""

    def __init__(self) -> None:
        self.kept: NormStatistics = {}

    def __call__(self, layer: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [1,C,H,W]. Raises ValueError for a layer that has been recorded: one recorder per picture."""
        if layer in self.kept:
            raise ValueError(f"The statistics of {layer} are recorded already; take a Recorder per picture.")
        mean, std = own_statistics(layer, x)
        variance = std.cpu().double().square() - NORM_EPS
        self.kept[layer] = torch.cat([mean.cpu().double(), variance]).flatten(1)
        return mean, std


class Replay:
    """`LayerStatistics` that give any picture the statistics that were `kept`, for one style or for each."""

    def __init__(self, kept: NormStatistics, layers: Collection[str]):
        """`layers` are the names of the network's normalisations (`StyleGAN.normalized`).

        Raises ValueError if `kept` lacks one of them, or has one of another network.
        """
        for problem, names in (("lack", set(layers) - kept.keys()), ("have", kept.keys() - set(layers))):
            if names:
                raise ValueError(
                    f"The statistics {problem} the layer {min(names)}; record them with the network that is "
                    "to paint."
                )
        self._kept = kept

    def __call__(self, layer: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [B,C,H,W]. Raises ValueError for a layer that was not among the network's."""
        if layer not in self._kept:
            raise ValueError(f"There are no statistics of the layer {layer}.")
        kept = self._kept[layer]
        mean, variance = (kept if kept.dim() == 3 else kept[:, None])[..., None, None]
        # In the map's type before they move: not every device has float64.
        mean, std = (each.to(x.dtype).to(x.device) for each in (mean, (variance + NORM_EPS).sqrt()))
        return mean, std


def for_styles(statistics: Sequence[NormStatistics]) -> NormStatistics:
    """The statistics of S styles together; those of one style as they are."""
    if len(statistics) == 1:
        return statistics[0]
    return {layer: torch.stack([each[layer] for each in statistics], 1) for layer in statistics[0]}


def pool(statistics: Sequence[NormStatistics], weights: Tensor) -> NormStatistics:
    """The statistics of R pictures as if they were one, each with its share of the `weights` [R].

    Exact for the inputs of a layer. These were normalised picture by picture in the layers before;
    docs/history.md says how little that matters.

    Raises ValueError if the pictures went through different layers.

    >>> one, other = {"a": torch.tensor([[0.0], [1.0]])}, {"a": torch.tensor([[4.0], [3.0]])}
    >>> pool([one, other], torch.ones(2))["a"].flatten().tolist()
    [2.0, 6.0]
    """
    if any(each.keys() != statistics[0].keys() for each in statistics):
        raise ValueError("The statistics are those of different networks; record all with the same one.")
    pooled = {}
    for layer in statistics[0]:
        means, variances = torch.stack([each[layer] for each in statistics]).double().unbind(1)
        shares = (weights.double() / weights.double().sum()).reshape(-1, *[1] * (means.dim() - 1))
        mean = (shares * means).sum(0)
        variance = (shares * (variances + (means - mean).square())).sum(0)
        pooled[layer] = torch.stack([mean, variance])
    return pooled
