"""Arithmetic on style codes, and the distribution of the codes of the training art."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MIX_MODES = ("lerp", "slerp")

# How many typical styles and directions around them a style space keeps, and how many paintings a style needs
# to be typical: of fewer it would be a copy.
CENTRES, RANK, FEWEST = 128, 128, 5


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
    """Distribution of the training art's style codes: Gaussians of one common shape around K typical styles.

    mean [L*D] of all codes; centres [K,L*D] and the share [K] of the paintings about each; directions
    [R,L*D], the principal axes of what is left, each scaled by the deviation along it. A code is
    centre + psi z @ directions, z normal; with psi 1, mean and covariance are those of the codes.
    Codes of art are no one Gaussian: etchings, oils and prints lie apart, and between them is little but fog.
    So `psi` < 1 pulls a code to the typical style that it was drawn about, and not to the mean of all as
    in StyleGAN (multi-modal truncation, Mokady et al. 2022).
    """

    mean: Tensor
    directions: Tensor
    count: int
    centres: Tensor
    shares: Tensor

    @classmethod
    def fit(cls, codes: Tensor, rank: int = RANK, centres: int = CENTRES) -> StyleSpace:
        """From the codes [N,L,D] of N paintings, N of 2 or more, with at most `centres` typical styles.

        Each layer is divided by its own spread before clusters and axes are sought, or the layers with
        the largest numbers would take them all.
        """
        flat = codes.flatten(1).double()
        mean = flat.mean(0)
        centred = (flat - mean).unflatten(1, codes.shape[1:])
        spread = centred.square().mean((0, 2), keepdim=True).sqrt().clamp_min(1e-8)
        points = (centred / spread).flatten(1)
        typical, nearest = cluster(points, centres, FEWEST)
        rank = min(rank, len(flat) - len(typical), flat.shape[1])
        _, singular, axes = torch.linalg.svd(points - typical[nearest], full_matrices=False)
        scaled = axes[:rank] * singular[:rank, None] / (len(flat) - 1) ** 0.5

        def unscaled(rows: Tensor) -> Tensor:
            return (rows.unflatten(1, codes.shape[1:]) * spread).flatten(1)

        shares = torch.bincount(nearest, minlength=len(typical)).double() / len(flat)
        centre = mean + unscaled(typical)
        return cls(mean.float(), unscaled(scaled).float(), len(flat), centre.float(), shares.float())

    def sample(self, seed: int, count: int, psi: float, layers: int) -> Tensor:
        """`count` codes [count,L,D]; the same seed gives the same codes on every device.

        Each code has its own generator, so code i of seed s does not depend on `count`.
        """
        centres, draws = [], []
        shares = self.shares.cpu()
        for i in range(count):
            generator = torch.Generator().manual_seed((seed * 1_000_003 + i) % 2**63)
            draws.append(torch.randn(len(self.directions), generator=generator))
            centres.append(torch.multinomial(shares, 1, generator=generator))
        z = torch.stack(draws).to(self.mean.device)
        centre = self.centres[torch.cat(centres).to(self.mean.device)]
        return (centre + psi * (z @ self.directions)).unflatten(1, (layers, -1))

    def truncate(self, code: Tensor, psi: float) -> Tensor:
        """Pull codes [B,L,D] towards the mean: mean + psi (code - mean)."""
        return lerp(self.mean.unflatten(0, code.shape[1:]), code, psi)


def cluster(points: Tensor, count: int, fewest: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """k-means (Lloyd 1982): points [N,D] -> the centres [K,D] and the index [N] of each point's own.

    The first centres are drawn as k-means++ does (Arthur & Vassilvitskii 2007), always the same for a seed.
    In the end, clusters of fewer than `fewest` points are dissolved, the smallest first, and their
    points join others. So K may be less than `count`, but not less than 1.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    apart = (points - points[chosen[0]]).square().sum(1)
    while len(chosen) < count and apart.max() > 0:
        chosen.append(int(torch.multinomial(apart.cpu(), 1, generator=generator)))
        apart = torch.minimum(apart, (points - points[chosen[-1]]).square().sum(1))
    centres, nearest = _settle(points, points[chosen])
    while len(centres) > 1 and (sizes := torch.bincount(nearest)).min() < fewest:
        left = torch.arange(len(centres), device=sizes.device) != sizes.argmin()
        centres, nearest = _settle(points, centres[left])
    return centres, nearest


def _settle(points: Tensor, centres: Tensor, rounds: int = 200) -> tuple[Tensor, Tensor]:
    """Every point to its nearest centre, every centre to the mean of its points, until nothing moves."""
    last = None
    for _ in range(rounds):
        used, nearest = torch.cdist(points, centres).argmin(1).unique(return_inverse=True)
        if last is not None and torch.equal(last, nearest):
            break
        members = torch.nn.functional.one_hot(nearest, len(used)).to(points)
        centres, last = members.T @ points / members.sum(0)[:, None], nearest
    return centres, nearest
