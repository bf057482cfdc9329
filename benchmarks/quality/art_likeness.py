"""KID: how far the set of painted pictures is from a set of real paintings, by several extractors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from benchmarks.quality.bar import Bar, below, not_measured
from brushwork.evaluation.set_distances import Kid, MissingPackageError, SetDistances, require_torchmetrics
from brushwork.models.perception.extractors import Extractor

SUBSETS, SUBSET_SIZE, SEED = 100, 100, 0


def kids(sets: Mapping[str, Tensor], paintings: Tensor) -> dict[str, Kid]:
    """KID of every set [N,D], N of 2 or more, to the paintings [M,D], M of 2 or more.

    100 subsets of at most 100 pictures and at most half of a set, the same seed for all. The estimate has no
    bias, so that sets of unlike size can be compared. It is noisy; the deviation says how much.
    """
    distances = SetDistances(list(sets), paintings.shape[1], SUBSET_SIZE, SUBSETS)
    distances.add_paintings(paintings)
    for name, features in sets.items():
        distances.add(name, features)
    return {name: distances.kid(name, SEED) for name in sets}


def why_no_kid(pictures: int, paintings: int) -> str:
    """Why KID cannot be measured; empty if it can."""
    try:
        require_torchmetrics()
    except MissingPackageError as error:
        return str(error).rstrip(".")
    if min(pictures, paintings) < 2:
        return f"needs 2 pictures and 2 paintings, there are {pictures} and {paintings}"
    return ""


def art_bars(
    extractors: Sequence[Extractor],
    ours: str,
    peers: Sequence[str],
    features: Mapping[str, Mapping[str, Tensor]],
    paintings: Mapping[str, Tensor],
) -> list[Bar]:
    """One bar per extractor and peer.

    `features` [N,D] by system and extractor, `paintings` [M,D] by extractor.
    """
    bars = []
    for extractor in extractors:
        name = extractor.name
        why = why_no_kid(len(features[ours][name]), len(paintings[name]))
        if not peers or why:
            title = f"art-likeness: KID by {name}"
            bars.append(not_measured(title, "below every peer's", why or "no peer takes part"))
            continue
        found = kids({system: features[system][name] for system in (ours, *peers)}, paintings[name])
        for peer in peers:
            title, rival = f"art-likeness: KID by {name}, {peer}", found[peer]
            note = f"± {found[ours].deviation:.2g} and {rival.deviation:.2g}, subsets of {rival.subset_size}"
            bars.append(below(title, found[ours].mean, rival.mean, note, f"{peer}'s "))
    return bars


def stacked(records: Sequence[Mapping[str, Tensor]], extractors: Sequence[Extractor]) -> dict[str, Tensor]:
    """Features [D] of many pictures as [N,D] by extractor."""
    return {each.name: torch.stack([record[each.name] for record in records]) for each in extractors}
