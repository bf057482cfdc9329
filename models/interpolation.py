"""A series of style codes that leads through several styles: the frames of an animation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .style_space import MIX_MODES, lerp, same_network, slerp

EASES: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3 - 2 * t),
    "smoother": lambda t: t**3 * (10 + t * (6 * t - 15)),
}
"""From the share of a leg's time to the share of its way, 0 to 0 and 1 to 1. `linear` keeps its speed;
`smooth` and `smoother` (Perlin 2002) start and stop at every style, at most 1.5 and 1.875 times as fast."""


def interpolate_styles(
    codes: Sequence[Tensor], count: int, mode: str = "lerp", ease: str = "linear", loop: bool = False
) -> Tensor:
    """`count` codes [count,L,D] on the way through the styles `codes`, [B,L,D] each.

    The stops are all styles of all batches, K of them. Every leg from one stop to the next takes the
    same time. With i from 0 to count - 1, code i stands at

        open:  i (K - 1) / (count - 1), from the first stop to the last, both of which are hit exactly;
        loop:  i K / count, back towards the first stop, which is not repeated at the end,

    where a position of k + t is `mode`(stop k, stop k + 1, `ease`(t)). Whole positions are the stops
    themselves, bit for bit.

    Raises ValueError for fewer than 2 stops, a count below 2, unlike shapes, an unknown mode or ease.

    >>> a, b = torch.zeros(1, 1, 1), torch.ones(1, 1, 1)
    >>> interpolate_styles([a, b], 5).flatten().tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> interpolate_styles([a, b], 4, loop=True).flatten().tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    if mode not in MIX_MODES:
        raise ValueError(f"mode is '{mode}'; choose one of {', '.join(MIX_MODES)}.")
    if ease not in EASES:
        raise ValueError(f"ease is '{ease}'; choose one of {', '.join(EASES)}.")
    if count < 2:
        raise ValueError(f"count is {count}; ask for 2 styles or more.")
    same_network(codes)
    stops = [stop for code in codes for stop in code.split(1)]
    if len(stops) < 2:
        raise ValueError(f"There must be 2 styles or more to go between, not {len(stops)}; connect another.")
    interpolate = lerp if mode == "lerp" else slerp
    legs, intervals = (len(stops), count) if loop else (len(stops) - 1, count - 1)
    series = []
    for i in range(count):
        leg, rest = divmod(i * legs, intervals)
        code = stops[leg]
        if rest:
            code = interpolate(code, stops[(leg + 1) % len(stops)], EASES[ease](rest / intervals))
        series.append(code)
    return torch.cat(series)
