"""The distribution of the style codes of the training art, to draw new styles from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .codes import lerp

# How many typical styles and directions around them a style space keeps, and how many paintings a style needs
# to be typical: of fewer it would be a copy.
CENTRES, RANK, FEWEST = 128, 128, 5


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
