"""Arithmetic on style codes: mixing several, and a series that leads from one to the next."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..base.counts import counted
from ..base.excerpt import value_excerpt
from ..base.settings import as_floats, check_choice, is_whole, scaled_weights
from ..pictures.values import check_floating
from .batches import match_batch, repeated
from .tensor_file import LARGEST_WEIGHT

MIX_MODES = ("lerp", "slerp")
MOST_STYLES = 1_000_000
"""In a series at most: ten hours of film."""


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """(1 - t) a + t b.

    >>> lerp(torch.zeros(2), torch.ones(2), 0.25).tolist()
    [0.25, 0.25]
    """
    return a + (b - a) * t


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Spherical interpolation over the last axis (Shoemake 1985), lengths interpolated linearly.

    The great circle is not defined between codes that point the same way or exactly opposite ways, nor
    from or to a code of length 0; this is then `lerp`.

    >>> slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 0.5)
    tensor([0.7071, 0.7071])
    """
    length_a = a.norm(dim=-1, keepdim=True)
    length_b = b.norm(dim=-1, keepdim=True)
    unit_a, unit_b = a / length_a.clamp_min(1e-12), b / length_b.clamp_min(1e-12)
    # Kahan's angle: the arc cosine is off by 5e-4 near 0 and pi, and dividing by the sine enlarges the error.
    apart, along = (unit_a - unit_b).norm(dim=-1, keepdim=True), (unit_a + unit_b).norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(apart, along)
    sine = torch.sin(angle)
    safe = sine.clamp_min(1e-6)
    direction = torch.sin((1 - t) * angle) / safe * unit_a + torch.sin(t * angle) / safe * unit_b
    curved = direction * lerp(length_a, length_b, t)
    defined = (sine > 1e-4) & (length_a > 0) & (length_b > 0)
    return torch.where(defined, curved, lerp(a, b, t))


def checked_code(code: object, name: str = "The style code") -> Tensor:
    """A style code [B,L,D] of floating point. Raises ValueError, one sentence that begins with `name`, for
    anything else, and for values that are not finite or larger than those of any style."""
    code = check_floating(code, name, ending="")
    if code.dim() != 3 or 0 in code.shape[1:]:
        raise ValueError(f"{name} has shape {tuple(code.shape)}; it must be [batch, layers, numbers].")
    if not len(code):
        return code  # the batch rule refuses it
    low, high = torch.stack(torch.aminmax(code.detach().float())).tolist()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{name} has values that are not finite; encode the style again.")
    if max(-low, high) > LARGEST_WEIGHT:
        raise ValueError(f"{name} has values up to {max(-low, high):.3g}; encode the style again.")
    return code


def _checked_codes(codes: object) -> list[Tensor]:
    if not isinstance(codes, Sequence) or isinstance(codes, str | bytes):
        raise ValueError(f"The styles are of the type {type(codes).__name__}; give a list of style codes.")
    return [checked_code(code, f"Style {number}") for number, code in enumerate(codes, 1)]


def same_network(codes: Sequence[Tensor]) -> None:
    """Raise ValueError, one sentence, unless all `codes`, [B,L,D] each, have the same L and D."""
    shapes = {tuple(code.shape[1:]) for code in codes}
    if len(shapes) > 1:
        raise ValueError(f"The styles come from different networks: their codes are {sorted(shapes)}.")


def mix_styles(
    codes: Sequence[Tensor],
    weights: Sequence[float] | None = None,
    mode: str = "lerp",
    structure_from_first: int = 0,
) -> Tensor:
    """Blend style codes, [B,L,D] each (B may be 1 in some), into one [B,L,D].

    `weights` (default: equal) are divided by their sum. `mode` 'slerp' folds the codes in one after
    the other along great circles, layer by layer. With `structure_from_first` = k, the first k
    layers come from the first code alone, the others from the blend of the rest. A network's
    `config.structure_layers` is the k that parts shapes, strokes and grain from colours.

    Raises ValueError for no codes, unlike shapes, weights that are negative, not finite or all 0,
    and a k outside 0..L.

    >>> a, b = torch.zeros(1, 2, 3), torch.ones(1, 2, 3)
    >>> mix_styles([a, b], weights=[1, 3])[0, 0].tolist()
    [0.75, 0.75, 0.75]
    >>> mix_styles([a, b], structure_from_first=1)[0, :, 0].tolist()
    [0.0, 1.0]
    """
    codes = _checked_codes(codes)
    if not codes:
        raise ValueError("There is no style to mix; connect at least one.")
    check_choice("mode", mode, MIX_MODES)
    same_network(codes)
    batch = match_batch(*(code.shape[0] for code in codes), what="The styles to mix")
    codes = [repeated(code, batch) for code in codes]
    layers = codes[0].shape[1]
    if not is_whole(structure_from_first) or not 0 <= structure_from_first <= layers:
        shown = value_excerpt(structure_from_first)
        raise ValueError(f"structure_from_first is {shown}; this network has {counted(layers, 'layer')}.")
    weights = [1.0] * len(codes) if weights is None else as_floats(weights)
    if len(weights) != len(codes):
        found = f"{counted(len(weights), 'number')} for {counted(len(codes), 'style')}"
        raise ValueError(f"weights has {found}; give one for each.")
    if structure_from_first == 0 or len(codes) == 1:
        return _blend(codes, weights, mode)
    colors = _blend(codes[1:], weights[1:], mode)
    return torch.cat([codes[0][:, :structure_from_first], colors[:, structure_from_first:]], 1)


def _blend(codes: Sequence[Tensor], weights: Sequence[float], mode: str) -> Tensor:
    scaled = scaled_weights(weights, "The weights")
    used = [(code, weight) for code, weight in zip(codes, scaled, strict=True) if weight > 0]
    mixed, total = used[0]
    interpolate = lerp if mode == "lerp" else slerp
    for code, weight in used[1:]:
        total += weight
        mixed = interpolate(mixed, code, weight / total)
    return mixed


EASES: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3 - 2 * t),
    "smoother": lambda t: t**3 * (10 + t * (6 * t - 15)),
}
"""Each maps the share of a leg's time to the share of its way, 0 to 0 and 1 to 1. `linear` keeps its speed;
`smooth` and `smoother` (Perlin 2002) start and stop at every style, at most 1.5 and 1.875 times as fast."""


def interpolate_styles(
    codes: Sequence[Tensor], count: int, mode: str = "lerp", ease: str = "linear", loop: bool = False
) -> Tensor:
    """`count` codes [count,L,D] on the way through the styles `codes`, [B,L,D] each.

    The stops are all styles of all batches, K of them. Every leg from one stop to the next takes the
    same time. With i from 0 to count - 1, code i stands at

        open:  i (K - 1) / (count - 1), from the first stop to the last; both are hit exactly;
        loop:  i K / count, back towards the first stop, which is not repeated at the end,

    A position of k + t is `mode`(stop k, stop k + 1, `ease`(t)). Whole positions are the stops
    themselves, bit for bit.

    Raises ValueError for fewer than 2 stops, a count below 2, unlike shapes, an unknown mode or ease.

    >>> a, b = torch.zeros(1, 1, 1), torch.ones(1, 1, 1)
    >>> interpolate_styles([a, b], 5).flatten().tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> interpolate_styles([a, b], 4, loop=True).flatten().tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    check_choice("mode", mode, MIX_MODES)
    check_choice("ease", ease, EASES)
    if not is_whole(count) or count < 2:
        raise ValueError(f"count is {value_excerpt(count)}; ask for 2 styles or more.")
    if count > MOST_STYLES:
        raise ValueError(f"count is {value_excerpt(count)}; ask for {MOST_STYLES:,} styles at most.")
    codes = _checked_codes(codes)
    same_network(codes)
    stops = [stop for code in codes for stop in torch.split(code, 1)]
    if len(stops) < 2:
        raise ValueError(f"There must be 2 styles or more to go between, not {len(stops)}; connect another.")
    # Whole numbers until the last step, so that whole positions hit their stops exactly.
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
