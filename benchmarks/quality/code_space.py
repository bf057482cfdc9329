"""How diverse and how good random styles are, and whether paths between two styles jump."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from benchmarks.peers import RememberingBrushwork
from benchmarks.progress import progress
from benchmarks.quality.art_likeness import kids, stacked, why_no_kid
from benchmarks.quality.bar import Bar, at_least, at_most, below, not_measured
from benchmarks.quality.gallery import Gallery, described, moments
from benchmarks.quality.results_cache import Record
from brushwork.evaluation.diversity import style_spread
from brushwork.models import interpolate_styles
from brushwork.models.perception.extractors import Extractor
from brushwork.models.perception.vgg import LossNetwork
from brushwork.pictures.tensors import rounded

PSI, SEED = 0.7, 0
STYLES_PER_PHOTO = 8
PATH_STEPS = 20
DIVERSITY_LIMIT, KID_LIMIT, JUMP_LIMIT = 0.6, 1.3, 3.0


def in_random_styles(
    gallery: Gallery, ours: RememberingBrushwork, photos: Sequence[Path]
) -> list[list[Record]]:
    """The observations of every photo painted in `STYLES_PER_PHOTO` random styles of its own."""
    codes = ours.gan.sample_style(SEED, STYLES_PER_PHOTO * len(photos), PSI)

    def look(photo: Path, number: int) -> Record:
        picture = gallery.load(photo)
        with torch.inference_mode():
            code = codes[number, None].to(picture.device)
            painted = rounded(ours.gan.generate(ours.content(picture), code))
        return described(gallery.scorer.look(painted))

    def remembered(photo: Path, number: int) -> Record:
        kind = f"random-psi{PSI}-seed{SEED}-{number}"
        return gallery.remember(ours, kind, [photo], lambda: look(photo, number))

    return [
        [remembered(photo, i * STYLES_PER_PHOTO + n) for n in range(STYLES_PER_PHOTO)]
        for i, photo in enumerate(progress(photos, "photos in random styles"))
    ]


def random_bars(
    by_photo: Sequence[Sequence[Record]],
    encoded: Mapping[str, Tensor],
    paintings: Sequence[Record],
    extractors: Sequence[Extractor],
) -> list[Bar]:
    """Diversity of random styles, and their KID over the KID of the pictures in encoded styles.

    `encoded` holds features [N,D] of the latter by extractor.
    """
    titles = "code space: style distance of random styles / of paintings", "code space: KID of random styles"
    # Diversity, against that of the paintings.
    if len(paintings) < 2:
        bars = [not_measured(titles[0], f"at least {DIVERSITY_LIMIT:g}", "needs 2 paintings")]
    else:
        spread = statistics.fmean(style_spread([moments(each) for each in found]) for found in by_photo)
        real = style_spread([moments(each) for each in paintings])
        note = f"{spread:.3f} and {real:.3f}; {len(by_photo)} photos x {STYLES_PER_PHOTO} styles, psi {PSI}"
        bars = [at_least(titles[0], spread / real, DIVERSITY_LIMIT, note)]

    # KID by every extractor, over the KID of the pictures in encoded styles.
    random = stacked([record.tensors for found in by_photo for record in found], extractors)
    of_paintings = stacked([record.tensors for record in paintings], extractors)
    for extractor in extractors:
        name, title = extractor.name, f"{titles[1]} / of encoded, {extractor.name}"
        why = why_no_kid(len(encoded[name]), len(paintings))
        if why:
            bars.append(not_measured(title, f"at most {KID_LIMIT:g}", why))
            continue
        found = kids({"random": random[name], "encoded": encoded[name]}, of_paintings[name])
        ours, theirs = found["random"].mean, found["encoded"].mean
        if theirs <= 0:
            why = f"the latter's is {theirs:.3g}, 0 except for noise; use more pictures"
            bars.append(not_measured(title, f"at most {KID_LIMIT:g}", why))
            continue
        note = f"{ours:.3g} and {theirs:.3g}, ± {found['random'].deviation:.2g}"
        note += f"; {len(random[name])} and {len(encoded[name])} pictures of {len(by_photo)} photos"
        bars.append(at_most(title, ours / theirs, KID_LIMIT, note))
    return bars


def path_steps(
    gallery: Gallery, ours: RememberingBrushwork, photo: Path, paintings: tuple[Path, Path]
) -> Record:
    """The lengths of the steps between pictures along the straight path between two paintings' codes.

    `pixels`: mean absolute difference of two neighbours; `vgg`: mean over the layers of the relative
    distance |F(x) - F(y)| / |F(x)| of their features.
    """

    def compute() -> Record:
        picture, network = gallery.load(photo), gallery.scorer.observer.network
        codes = [ours.style(gallery.load(path)) for path in paintings]
        pixels, vgg = [], []
        last = None
        with torch.inference_mode():
            for code in interpolate_styles(codes, PATH_STEPS + 1).split(1):
                # Not rounded: between similar pictures half a level is a large difference.
                painted = ours.gan.generate(ours.content(picture), code)
                maps = network(painted)
                if last is not None:
                    pixels.append((painted - last[0]).abs().mean())
                    vgg.append(feature_distance(last[1], maps))
                last = painted, maps
        return Record(tensors={"pixels": torch.stack(pixels), "vgg": torch.stack(vgg)})

    kind = f"path-{PATH_STEPS}-{fingerprint(path_steps, feature_distance, LossNetwork)}"
    return gallery.remember(ours, kind, [photo, *paintings], compute)


def feature_distance(a: dict[str, Tensor], b: dict[str, Tensor]) -> Tensor:
    """Mean over the layers of |a - b| / |a|, a scalar."""
    return torch.stack([(a[name] - b[name]).norm() / a[name].norm().clamp_min(1e-8) for name in a]).mean()


def smoothness_bars(paths: Sequence[Record]) -> list[Bar]:
    """The largest step over the mean step, on the worst path."""
    bars = []
    for name, label in (("pixels", "mean difference of pixels"), ("vgg", "VGG features")):
        ratios = [(path.tensors[name].max() / path.tensors[name].mean()).item() for path in paths]
        note = f"worst of {len(paths)} paths, median {statistics.median(ratios):.2f}; {PATH_STEPS} steps each"
        title = f"code space: largest step / mean step, {label}"
        bars.append(below(title, max(ratios), JUMP_LIMIT, note))
    return bars
