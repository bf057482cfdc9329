"""All bars of one of Brushwork's networks, in the order of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import MicroAST, RememberingBrushwork, System
from benchmarks.progress import progress
from benchmarks.quality.art_likeness import art_bars, stacked
from benchmarks.quality.bar import Bar, not_measured
from benchmarks.quality.code_space import (
    DIVERSITY_LIMIT,
    in_random_styles,
    path_steps,
    random_bars,
    smoothness_bars,
)
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.pairs import Pair, balanced, evenly
from benchmarks.quality.self_consistency import consistency_bars
from benchmarks.quality.steadiness import steadiness_bars
from benchmarks.quality.style import medians_of, pair_bars, ratio_bars
from brushwork.base.settings import option

STRENGTH_0_PAIRS = 8


@dataclass(frozen=True)
class SampleSizes:
    """On how many pictures the bars are measured that take too long for all pairs."""

    sweep_pairs: int = option(100, "pairs that are painted at further strengths", 1, 1_000_000)
    steady_pairs: int = option(12, "pairs whose photo is shifted", 1, 1_000_000)
    random_photos: int = option(20, "photos that are painted in random styles", 1, 1_000_000)
    paths: int = option(3, "paths between two styles", 1, 1_000_000)


def measure_bars(
    gallery: Gallery,
    ours: RememberingBrushwork,
    peers: Sequence[System],
    pairs: Sequence[Pair],
    paintings: Sequence[Path],
    sample: SampleSizes,
) -> list[Bar]:
    """`paintings` are the real ones that KID and diversity are measured against; `pairs` have been scored."""
    # Losses and SSIM, as ratios to the peers'.
    systems: list[System] = [ours, *peers]
    scored = {system.name: [gallery.scored(system, pair) for pair in pairs] for system in systems}
    medians = {name: medians_of([each.numbers for each in found]) for name, found in scored.items()}
    microast = next((peer.name for peer in peers if isinstance(peer, MicroAST)), None)
    bars = ratio_bars(medians[ours.name], medians[microast] if microast else None)
    bars += pair_bars(gallery, ours, peers, balanced(pairs, sample.sweep_pairs))

    # KID to the real paintings.
    extractors = gallery.scorer.extractors
    looks = [gallery.painting(path) for path in progress(paintings, "paintings")]
    features = {name: stacked([each.tensors for each in found], extractors) for name, found in scored.items()}
    of_paintings = stacked([each.tensors for each in looks], extractors)
    bars += art_bars(extractors, ours.name, [peer.name for peer in peers], features, of_paintings)

    # Random styles, and paths between styles.
    if ours.gan.space is None:
        why = "the checkpoint stores no style distribution"
        bars.append(not_measured("code space: random styles", f"at least {DIVERSITY_LIMIT:g}", why))
    else:
        photos = evenly(distinct(pair.content for pair in pairs), sample.random_photos)
        by_photo = in_random_styles(gallery, ours, photos)
        # KID sees what is in pictures, too: both sets must show the same photos.
        alike = [each for pair, each in zip(pairs, scored[ours.name], strict=True) if pair.content in photos]
        encoded = stacked([each.tensors for each in alike], extractors)
        bars += random_bars(by_photo, encoded, looks, extractors)
    bars += smoothness_bars(
        [
            path_steps(gallery, ours, *route)
            for route in progress(routes(pairs, paintings, sample.paths), "paths")
        ]
    )
    # Paintings in their own style, strength 0, and shifted photos.
    own = distinct(pair.style for pair in pairs)
    bars += consistency_bars(gallery, ours, peers, own, balanced(pairs, STRENGTH_0_PAIRS))
    return bars + steadiness_bars(gallery, ours, peers, balanced(pairs, sample.steady_pairs))


def distinct(files: Iterable[Path]) -> list[Path]:
    """Each file once, in the order in which they come."""
    return list(dict.fromkeys(files))


def routes(
    pairs: Sequence[Pair], paintings: Sequence[Path], count: int
) -> list[tuple[Path, tuple[Path, Path]]]:
    """`count` photos, each with two paintings of its own to go between; fewer where paintings are few."""
    ends = evenly(paintings, 2 * count)
    photos = evenly(distinct(pair.content for pair in pairs), count)
    return [(photos[i % len(photos)], (ends[2 * i], ends[2 * i + 1])) for i in range(len(ends) // 2)]
