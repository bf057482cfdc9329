"""A number, the bar that it has to clear, and whether it does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """`needed` is the bar in words. `value` and `met` are None if it was not measured; `note` says why."""

    name: str
    needed: str
    value: float | None = None
    met: bool | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: "not measured"}[self.met]


def at_most(name: str, value: float, limit: float, note: str = "") -> Bar:
    return Bar(name, f"at most {limit:.3g}", value, value <= limit, note)


def at_least(name: str, value: float, limit: float, note: str = "", whose: str = "") -> Bar:
    """`whose` names the system that the limit was measured on, as in "MicroAST's "."""
    return Bar(name, f"at least {whose}{limit:.3g}", value, value >= limit, note)


def below(name: str, value: float, limit: float, note: str = "", whose: str = "") -> Bar:
    """As `at_most`, except that the limit itself is too much; `whose` as in `at_least`."""
    return Bar(name, f"below {whose}{limit:.3g}", value, value < limit, note)


def not_measured(name: str, needed: str, why: str) -> Bar:
    return Bar(name, needed, note=why)


def bars_table(bars: Sequence[Bar]) -> str:
    """Markdown, a row per bar, and a line that counts the verdicts."""
    lines = ["| bar | Brushwork | needed | verdict | |", "| --- | ---: | --- | --- | --- |"]
    for bar in bars:
        value = "-" if bar.value is None else _figure(bar.value)
        lines.append(f"| {bar.name} | {value} | {bar.needed} | {bar.verdict} | {bar.note} |")
    verdicts = [bar.verdict for bar in bars]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in ("met", "MISSED", "not measured")]
    return "\n".join([*lines, "", f"{len(bars)} bars: {', '.join(counts)}."])


def _figure(value: float) -> str:
    """Three decimals, or three digits of what is smaller.

    >>> _figure(0.8512), _figure(0.00012345), _figure(math.inf)
    ('0.851', '0.000123', 'exact')
    """
    if math.isinf(value):
        return "exact"
    return f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"
