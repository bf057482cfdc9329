"""Whether the result moves along or shimmers when the photo is shifted by a few pixels."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.peers import System
from benchmarks.progress import progress
from benchmarks.quality.bar import Bar, below
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.pairs import Pair
from benchmarks.quality.results_cache import Record
from brushwork.pictures.tensors import rounded

SHIFTS = range(1, 8)
# The border changes what is painted near it; that is not measured here.
MARGIN = 32
LIMIT = 3.0


def windows(photo: Tensor) -> list[Tensor]:
    """Windows [1,3,H-7,W-7] of a photo [1,3,H,W] that start 0 to 7 pixels from its top and its left."""
    most = max(SHIFTS)
    height, width = (side - most for side in photo.shape[-2:])
    return [photo[:, :, k : k + height, k : k + width] for k in (0, *SHIFTS)]


def unsteadiness(painted: Sequence[Tensor]) -> list[float]:
    """For each shift of painted `windows`, the mean absolute difference to the unshifted one, in 1/255.

    Over what both windows show, except `MARGIN` pixels at its border. Raises ValueError if nothing is left.
    """
    first, found = painted[0], []
    height, width = first.shape[-2:]
    if min(height, width) <= 2 * MARGIN + max(SHIFTS):
        raise ValueError(f"Steadiness needs pictures of more than {2 * MARGIN + max(SHIFTS)} pixels a side.")
    for k, shifted in zip(SHIFTS, painted[1:], strict=True):
        here = first[:, :, k + MARGIN : height - MARGIN, k + MARGIN : width - MARGIN]
        there = shifted[:, :, MARGIN : height - k - MARGIN, MARGIN : width - k - MARGIN]
        found.append((here - there).abs().mean().item() * 255)
    return found


def unsteadiness_of(gallery: Gallery, system: System, pairs: Sequence[Pair]) -> list[list[float]]:
    """By pair and shift. The photo is read 7 pixels larger, so that the windows have the gallery's size."""

    def compute(pair: Pair) -> Record:
        photo = gallery.load(pair.content, gallery.size + max(SHIFTS))
        style = gallery.load(pair.style)
        painted = [rounded(system.paint(window.contiguous(), style)) for window in windows(photo)]
        return Record(tensors={"differences": torch.tensor(unsteadiness(painted))})

    kind = f"shifts-{MARGIN}-{fingerprint(windows, unsteadiness)}"
    label = f"{system.name}, shifted photos"
    return [
        gallery.remember(system, kind, pair, partial(compute, pair)).tensors["differences"].tolist()
        for pair in progress(pairs, label)
    ]


def steadiness_bars(
    gallery: Gallery, ours: System, peers: Sequence[System], pairs: Sequence[Pair]
) -> list[Bar]:
    """The mean over pairs and shifts of 1 to 7 pixels along both axes."""
    found = unsteadiness_of(gallery, ours, pairs)
    per_pair = [statistics.fmean(each) for each in found]
    by_shift = "/".join(f"{statistics.fmean(column):.1f}" for column in zip(*found, strict=True))
    others = [
        f"{peer.name} {statistics.fmean(map(statistics.fmean, unsteadiness_of(gallery, peer, pairs))):.2f}"
        for peer in peers
    ]
    note = ", ".join([f"{len(pairs)} pairs, worst {max(per_pair):.2f}", f"by shift {by_shift}", *others])
    title = "steadiness: mean difference of shifted photos' pictures, 1/255"
    return [below(title, statistics.fmean(per_pair), LIMIT, note)]
