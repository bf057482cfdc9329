"""What refining must reach: pastiche's loss in a third of its time, a quarter of Generate's, and memory."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.quality.bar import Bar, at_most, below, not_measured
from benchmarks.quality.results_cache import Record
from benchmarks.refine.comparison import GENERATED, REFINED, SECONDS, TO_LOSS

# At most this share of pastiche's seconds until its loss, and of Generate's Gram losses.
TIME_LIMIT, GRAM_LIMIT, CONTENT_LIMIT = 1 / 3, 0.25, 1.0

# Gigabytes by side in pixels.
MEMORY_LIMITS = {1024: 3.0, 4096: 6.0}

GRAMS = {"gram": "whole", "gram_half": "half", "gram_quarter": "quarter"}


def time_bar(records: Sequence[Record], rival: str | None) -> Bar:
    """Brushwork's seconds to pastiche's loss in the end, as a share of pastiche's; median over the pairs."""
    name, needed = "time to pastiche's Gram loss / pastiche's time", f"at most {TIME_LIMIT:.3g}"
    if rival is None:
        return not_measured(name, needed, "pastiche left out")
    key = f"{REFINED}/{TO_LOSS}"
    shares = [
        each.numbers[key] / each.numbers[f"{rival}/{SECONDS}"] for each in records if key in each.numbers
    ]
    note = f"reached on {len(shares)} of {len(records)} pairs"
    # A pair on which it is never reached counts as the slowest.
    if 2 * len(shares) <= len(records):
        return Bar(name, needed, None, False, note)
    missing = [float("inf")] * (len(records) - len(shares))
    return at_most(name, statistics.median_high(shares + missing), TIME_LIMIT, note)


def quality_bars(records: Sequence[Record]) -> list[Bar]:
    """Losses of the refined pictures over those of Generate's; medians over the pairs."""
    bars = []
    for loss, size in GRAMS.items():
        if f"{REFINED}/{loss}" in records[0].numbers:
            bars.append(_ratio_bar(records, loss, f"Gram loss at {size} size / Generate's", GRAM_LIMIT))
    return [*bars, _ratio_bar(records, "content", "content loss / Generate's", CONTENT_LIMIT)]


def _ratio_bar(records: Sequence[Record], loss: str, name: str, limit: float) -> Bar:
    values = [[each.numbers[f"{row}/{loss}"] for each in records] for row in (REFINED, GENERATED)]
    ratios = [refined / generated for refined, generated in zip(*values, strict=True)]
    medians = " and ".join(f"{statistics.median(each):.3f}" for each in values)
    note = f"medians {medians}, ratios {min(ratios):.3f} to {max(ratios):.3f}, {len(records)} pairs"
    return at_most(name, statistics.median(ratios), limit, note)


def memory_bar(side: int, found: dict[str, float]) -> Bar:
    """The peak of a fresh process at a side in `MEMORY_LIMITS`.

    What L-BFGS would have remembered after more steps is added.
    """
    total = (found["peak"] + found["remembered"]) / 1e9
    note = (
        f"{found['peak'] / 1e9:.2f} measured, {found['remembered'] / 1e9:.2f} added for L-BFGS, "
        f"{found['seconds']:.0f} s"
    )
    return below(f"GB at {side} x {side} on a CPU", total, MEMORY_LIMITS[side], note)
