"""Whether a painting in its own style stays what it is, and strength 0 leaves the photo alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import Tensor

from benchmarks.peers import Brushwork, System
from benchmarks.progress import progress
from benchmarks.quality.bar import Bar, at_least
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.pairs import Pair
from benchmarks.quality.results_cache import Record

PAINTING_LIMIT, PHOTO_LIMIT = 24.0, 35.0


def psnr(a: Tensor, b: Tensor) -> float:
    """10 log10(1 / mean((a - b)^2)) in decibels of pictures in 0..1; infinite for equal pictures."""
    error = (a.double() - b.double()).square().mean().item()
    return math.inf if error == 0 else -10 * math.log10(error)


def in_own_style(gallery: Gallery, system: System, paintings: Sequence[Path]) -> list[float]:
    """PSNR of every painting, painted in its own style, to itself."""

    def compute(path: Path) -> Record:
        return Record({"psnr": psnr(gallery.picture(system, Pair(path, path)), gallery.load(path))})

    label = f"{system.name}, paintings in their own style"
    return [
        gallery.remember(system, "own-style", [path], partial(compute, path)).numbers["psnr"]
        for path in progress(paintings, label)
    ]


def at_strength_0(gallery: Gallery, ours: Brushwork, pairs: Sequence[Pair]) -> float:
    """The lowest PSNR to the photo at strength 0."""
    system = ours.at_strength(0)
    return min(psnr(gallery.picture(system, pair), gallery.load(pair.content)) for pair in pairs)


def consistency_bars(
    gallery: Gallery,
    ours: Brushwork,
    peers: Sequence[System],
    paintings: Sequence[Path],
    pairs: Sequence[Pair],
) -> list[Bar]:
    found = in_own_style(gallery, ours, paintings)
    others = [
        f"{peer.name} {statistics.median(in_own_style(gallery, peer, paintings)):.1f}" for peer in peers
    ]
    enough = sum(value >= PAINTING_LIMIT for value in found)
    note = ", ".join([f"median; {enough} of {len(found)} reach it", f"worst {min(found):.1f}", *others])
    title = "self-consistency: PSNR of a painting in its own style, dB"
    lowest = at_strength_0(gallery, ours, pairs)
    return [
        at_least(title, statistics.median(found), PAINTING_LIMIT, note),
        at_least("self-consistency: PSNR of strength 0 to the photo, dB", lowest, PHOTO_LIMIT, "worst photo"),
    ]
