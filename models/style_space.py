"""The distribution of the style codes of the training art, to draw new styles from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..base.seeds import derived_seed
from .devices import in_float64, own_defaults

# How many typical styles a style space keeps, how many directions around them, and how many paintings a
# typical style needs: with fewer it would be a copy of them.
CENTERS, RANK, FEWEST = 128, 128, 5

# Typical styles and directions of a space in a checkpoint at most.
LARGEST_SPACE = 4096

# The names of its tensors in a checkpoint.
TENSORS = {"mean": "mean", "directions": "directions", "centers": "centres", "shares": "shares"}


@dataclass
class StyleSpace:
    """Distribution of the training art's style codes: Gaussians of one common shape around K typical styles.

    mean [L*D] of all codes; centres [K,L*D] and the share [K] of the paintings around each; directions
    [R,L*D], the principal axes of the remainder, each scaled by the deviation along it. A code is
    centre + psi z @ directions, z normal; with psi 1, mean and covariance are those of the codes.
    The codes of art are not one Gaussian: etchings, oils and prints lie apart (docs/history.md). So
    `psi` < 1 pulls a code to the typical style around which it was drawn, and not to the mean of all as in
    StyleGAN (multi-modal truncation, Mokady et al. 2022).
    """

    mean: Tensor
    directions: Tensor
    count: int
    centers: Tensor
    shares: Tensor

    @classmethod
    @own_defaults()
    def fit(cls, codes: Tensor, rank: int = RANK, centers: int = CENTERS) -> StyleSpace:
        """From the codes [N,L,D] of N paintings, N of 2 or more, with at most `centers` typical styles.

        Each layer is divided by its own spread before clusters and axes are sought; otherwise the layers
        with the largest numbers would decide them all.
        """
        flat = in_float64(codes.flatten(1))
        mean = flat.mean(0)
        centered = (flat - mean).reshape(codes.shape)
        spread = centered.square().mean((0, 2), keepdim=True).sqrt().clamp_min(1e-8)
        points = (centered / spread).flatten(1)
        typical, nearest = cluster(points, centers, FEWEST)
        rank = min(rank, len(flat) - len(typical), flat.shape[1])
        _, singular, axes = torch.linalg.svd(points - typical[nearest], full_matrices=False)
        scaled = axes[:rank] * singular[:rank, None] / (len(flat) - 1) ** 0.5

        def unscaled(rows: Tensor) -> Tensor:
            return (rows.reshape(-1, *codes.shape[1:]) * spread).flatten(1)

        shares = torch.bincount(nearest, minlength=len(typical)).double() / len(flat)
        center = mean + unscaled(typical)
        return cls(mean.float(), unscaled(scaled).float(), len(flat), center.float(), shares.float())

    def sample(self, seed: int, count: int, psi: float, layers: int) -> Tensor:
        """`count` codes [count,L,D]; the same seed gives the same codes on every device.

        Each code has its own generator, so code i of seed s does not depend on `count`.
        """
        centers, draws = [], []
        shares = self.shares.cpu()
        for i in range(count):
            generator = torch.Generator().manual_seed(derived_seed(int(seed), i))
            draws.append(torch.randn(len(self.directions), generator=generator))
            centers.append(torch.multinomial(shares, 1, generator=generator))
        z = torch.stack(draws).to(self.mean.device)
        center = self.centers[torch.cat(centers).to(self.mean.device)]
        return (center + psi * (z @ self.directions)).reshape(count, layers, -1)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors for a checkpoint, by the names in `TENSORS`."""
        return {name: getattr(self, attribute) for attribute, name in TENSORS.items()}

    def record(self) -> dict[str, Any]:
        """The entry in a checkpoint's header."""
        return {
            "kind": "gaussian mixture",
            "centres": len(self.centers),
            "rank": len(self.directions),
            "count": self.count,
        }

    @staticmethod
    def fits(record: object, shapes: Mapping[str, tuple[int, ...]], size: int) -> bool:
        """Whether `record` and the `shapes` of tensors by their names describe a space of `size` numbers."""
        if not isinstance(record, Mapping) or shapes.keys() != set(TENSORS.values()):
            return False
        centers, directions = shapes[TENSORS["centers"]], shapes[TENSORS["directions"]]
        if not len(centers) == len(directions) == 2 or not 1 <= centers[0] <= LARGEST_SPACE:
            return False
        numbers = {"centres": centers[0], "rank": directions[0]}
        return (
            shapes[TENSORS["mean"]] == (size,)
            and centers[1] == directions[1] == size
            and directions[0] <= LARGEST_SPACE
            and shapes[TENSORS["shares"]] == centers[:1]
            and all(type(record.get(key, number)) is int for key, number in numbers.items())
            and all(record.get(key, number) == number for key, number in numbers.items())
            and type(record.get("count", 0)) is int
            and 0 <= record.get("count", 0) < 2**31
        )

    @classmethod
    def read(cls, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> StyleSpace | None:
        """The style space in tensors, by the names in `TENSORS`, that `fits` the `record` of them.

        None if the shares of its typical styles are no shares.
        """
        found = {attribute: tensors[name].float() for attribute, name in TENSORS.items()}
        shares = found["shares"]
        good = bool((shares >= 0).all()) and 0.5 < shares.sum().item() < 2
        return cls(**found, count=record.get("count", 0)) if good else None


def cluster(points: Tensor, count: int, fewest: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """k-means (Lloyd 1982): points [N,D] -> centres [K,D], and for each point the index [N] of its centre.

    The first centres are drawn as k-means++ does (Arthur & Vassilvitskii 2007), always the same for a seed.
    At the end, clusters of fewer than `fewest` points are dissolved, the smallest first, and their
    points join others. So K may be less than `count`, but not less than 1.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    apart = (points - points[chosen[0]]).square().sum(1)
    while len(chosen) < count and apart.max() > 0:
        chosen.append(int(torch.multinomial(apart.cpu(), 1, generator=generator)))
        apart = torch.minimum(apart, (points - points[chosen[-1]]).square().sum(1))
    centers, nearest = _settle(points, points[chosen])
    while len(centers) > 1 and (sizes := torch.bincount(nearest)).min() < fewest:
        left = torch.arange(len(centers), device=sizes.device) != sizes.argmin()
        centers, nearest = _settle(points, centers[left])
    return centers, nearest


def _settle(points: Tensor, centers: Tensor, rounds: int = 200) -> tuple[Tensor, Tensor]:
    """Every point to its nearest centre, every centre to the mean of its points, until nothing moves."""
    last = torch.empty(0, dtype=torch.long, device=points.device)
    for _ in range(rounds):
        used, nearest = torch.unique(torch.cdist(points, centers).argmin(1), return_inverse=True)
        if torch.equal(last, nearest):
            break
        members = torch.nn.functional.one_hot(nearest, len(used)).to(points)
        centers, last = members.T @ points / members.sum(0)[:, None], nearest
    return centers, last
