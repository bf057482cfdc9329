"""Arithmetic on style codes, and the distribution of the codes of the training art."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MIX_MODES = ("lerp", "slerp")


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """(1 - t) a + t b.

    >>> lerp(torch.zeros(2), torch.ones(2), 0.25).tolist()
    [0.25, 0.25]
    """
    return a + (b - a) * t


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Spherical interpolation over the last axis (Shoemake 1985), lengths interpolated linearly.

    Between codes that point the same way or exactly opposite ways, and from or to a code of length
    0, the great circle is not defined; there it is `lerp`.

    >>> slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), 0.5)
    tensor([0.7071, 0.7071])
    """
    length_a = a.norm(dim=-1, keepdim=True)
    length_b = b.norm(dim=-1, keepdim=True)
    unit_a, unit_b = a / length_a.clamp_min(1e-12), b / length_b.clamp_min(1e-12)
    # Kahan's angle: the arc cosine is off by 5e-4 near 0 and pi, which the division by the sine blows up.
    apart, along = (unit_a - unit_b).norm(dim=-1, keepdim=True), (unit_a + unit_b).norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(apart, along)
    sine = torch.sin(angle)
    safe = sine.clamp_min(1e-6)
    direction = torch.sin((1 - t) * angle) / safe * unit_a + torch.sin(t * angle) / safe * unit_b
    curved = direction * lerp(length_a, length_b, t)
    defined = (sine > 1e-4) & (length_a > 0) & (length_b > 0)
    return torch.where(defined, curved, lerp(a, b, t))


def match_batch(*batches: int, what: str) -> int:
    """The common batch size of inputs that each hold 1 or N pictures.

    Raises ValueError when two inputs hold different numbers above 1.

    >>> match_batch(1, 4, 4, what="styles")
    4
    """
    sizes = sorted({n for n in batches if n != 1})
    if len(sizes) > 1:
        found = " and ".join(str(n) for n in sizes)
        raise ValueError(f"{what} come in batches of {found}; give each 1 or the same number.")
    return sizes[0] if sizes else 1


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
    the other along great circles, layer by layer. With `structure_from_first` = k the first k
    layers (coarse: shapes and brushwork) come from the first code alone and the other layers
    (fine: grain and palette) from the blend of the rest.

    Raises ValueError for no codes, unlike shapes, weights that are negative, not finite or all 0,
    and a k outside 0..L.

    >>> a, b = torch.zeros(1, 2, 3), torch.ones(1, 2, 3)
    >>> mix_styles([a, b], weights=[1, 3])[0, 0].tolist()
    [0.75, 0.75, 0.75]
    >>> mix_styles([a, b], structure_from_first=1)[0, :, 0].tolist()
    [0.0, 1.0]
    """
    if not codes:
        raise ValueError("There is no style to mix; connect at least one.")
    if mode not in MIX_MODES:
        raise ValueError(f"mode is '{mode}'; choose one of {', '.join(MIX_MODES)}.")
    same_network(codes)
    batch = match_batch(*(code.shape[0] for code in codes), what="The styles to mix")
    codes = [code.expand(batch, -1, -1) for code in codes]
    layers = codes[0].shape[1]
    if not 0 <= structure_from_first <= layers:
        raise ValueError(f"structure_from_first is {structure_from_first}; this network has {layers} layers.")
    weights = [1.0] * len(codes) if weights is None else [float(w) for w in weights]
    if len(weights) != len(codes):
        raise ValueError(f"There are {len(codes)} styles but {len(weights)} weights.")
    if structure_from_first == 0 or len(codes) == 1:
        return _blend(codes, weights, mode)
    colour = _blend(codes[1:], weights[1:], mode)
    return torch.cat([codes[0][:, :structure_from_first], colour[:, structure_from_first:]], 1)


def _blend(codes: Sequence[Tensor], weights: Sequence[float], mode: str) -> Tensor:
    finite = all(0 <= w < float("inf") for w in weights)
    if not finite or sum(weights) <= 0:
        raise ValueError(f"The weights are {weights}; give numbers of 0 or more, at least one above 0.")
    used = [(code, weight) for code, weight in zip(codes, weights, strict=True) if weight > 0]
    mixed, total = used[0]
    interpolate = lerp if mode == "lerp" else slerp
    for code, weight in used[1:]:
        total += weight
        mixed = interpolate(mixed, code, weight / total)
    return mixed


@dataclass
class StyleSpace:
    """Gaussian over the training art's style codes, in the whitened space of its main directions.

    mean [L*D]; directions [K,L*D], each a principal axis scaled by the deviation along it. A code is
    mean + z @ directions with z normal; `psi` < 1 shortens z, StyleGAN's truncation.
    """

    mean: Tensor
    directions: Tensor
    count: int

    @classmethod
    def fit(cls, codes: Tensor, rank: int = 256) -> StyleSpace:
        """From the codes [N,L,D] of N paintings, N of 2 or more.

        Each layer is divided by its own spread before the axes are sought, or the layers with the
        largest numbers would take them all.
        """
        flat = codes.flatten(1).double()
        mean = flat.mean(0)
        centred = (flat - mean).unflatten(1, codes.shape[1:])
        spread = centred.square().mean((0, 2), keepdim=True).sqrt().clamp_min(1e-8)
        rank = min(rank, len(flat) - 1, flat.shape[1])
        _, singular, axes = torch.linalg.svd((centred / spread).flatten(1), full_matrices=False)
        scaled = axes[:rank] * singular[:rank, None] / (len(flat) - 1) ** 0.5
        directions = (scaled.unflatten(1, codes.shape[1:]) * spread).flatten(1)
        return cls(mean.float(), directions.float(), len(flat))

    def sample(self, seed: int, count: int, psi: float, layers: int) -> Tensor:
        """`count` codes [count,L,D]; the same seed gives the same codes on every device.

        Each code has its own generator, so code i of seed s does not depend on `count`.
        """
        draws = []
        for i in range(count):
            generator = torch.Generator().manual_seed((seed * 1_000_003 + i) % 2**63)
            draws.append(torch.randn(len(self.directions), generator=generator))
        z = torch.stack(draws).to(self.mean.device)
        return (self.mean + psi * (z @ self.directions)).unflatten(1, (layers, -1))

    def truncate(self, code: Tensor, psi: float) -> Tensor:
        """Pull codes [B,L,D] towards the mean: mean + psi (code - mean)."""
        return lerp(self.mean.unflatten(0, code.shape[1:]), code, psi)
