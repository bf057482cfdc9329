"""Candidates: the places of paintings that places of a picture may take after, and the search among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.normalization import wide
from ..models.perception.vgg import LossNetwork
from .objective import Mixture
from .places import counted_places, place_count, place_layers, place_means, place_tiles

# So many places of each region's paintings are candidates.
_CANDIDATES = 8192

# Places that are compared with all candidates at a time.
_CHUNK = 2048

# The search compares this many directions in which the candidates differ most, of about 2,000: the rest
# hardly changes which candidate is nearest. Finding them takes a few products of all candidates.
_DIRECTIONS = 256
_ITERATIONS = 2

# Rounds of finding a bonus for each painting with which it gets its share of the places, how large the first
# step is, and each next one as a share of it.
_ROUNDS, _BONUS, _SMALLER = 100, 0.3, 0.88

# What parts places that are equally like two paintings.
_NOISE = 1e-3

FAINTEST = 1e-6


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places of one region's paintings.

    features [N,C] of length 1: all layers side by side, each multiplied by one of `scales`; counts: how many
    of them are of each painting, one painting after the other; weights: those of the paintings; directions
    [C,D]: what the search compares.
    """

    features: Tensor
    scales: list[Tensor]
    counts: list[int]
    weights: Sequence[float]
    directions: Tensor

    @classmethod
    def of(
        cls, network: LossNetwork, mixture: Mixture, side: int, on_tile: Callable[[], None] | None = None
    ) -> Candidates:
        """Those of the paintings [1,3,h,w] of a mixture, read in tiles of `side` pixels."""
        most = max(1, _CANDIDATES // len(mixture.paintings))
        read = [_places(network, each, most, side, on_tile) for each in mixture.paintings]
        # Each layer has the same say, whatever its numbers are.
        scales = [
            (sum(w * e for w, e in zip(mixture.weights, layer, strict=True)) + FAINTEST).rsqrt()
            for layer in zip(*(energies for _, energies in read), strict=True)
        ]
        features = [
            torch.cat([scale * layer for scale, layer in zip(scales, layers, strict=True)], 1)
            for layers, _ in read
        ]
        joined = F.normalize(torch.cat(features), dim=1, eps=FAINTEST)
        return cls(joined, scales, [len(each) for each in features], mixture.weights, _directions(joined))

    def nearest(
        self,
        network: LossNetwork,
        picture: Tensor,
        side: int,
        on_tile: Callable[[], None] | None = None,
        share: Tensor | None = None,
    ) -> Tensor:
        """The number of the candidate that is most like each place of a picture [1,3,H,W]: [h,w].

        share [h,w]: how much the region rules in each place, or None where it rules everywhere.
        """
        likeness, found = self._found(network, picture, side, on_tile)
        return found.gather(0, fair_choice(likeness, self.weights, share)[None])[0]

    def likeness(
        self, network: LossNetwork, picture: Tensor, side: int, on_tile: Callable[[], None] | None = None
    ) -> Tensor:
        """How like the nearest candidate each place of a picture [1,3,H,W] is: cosines [h,w]."""
        return self._found(network, picture, side, on_tile)[0].amax(0)

    def _found(
        self, network: LossNetwork, picture: Tensor, side: int, on_tile: Callable[[], None] | None
    ) -> tuple[Tensor, Tensor]:
        """How like the nearest candidate of each painting every place is, and its number: [P,h,w] each."""
        banks = [(each @ self.directions).T.contiguous() for each in self.features.split(self.counts)]
        first = list(accumulate(self.counts, initial=0))
        shape = (len(banks), *place_count(picture))
        likeness = picture.new_empty(shape)
        found = torch.empty(shape, dtype=torch.long, device=picture.device)
        for tile in place_tiles(picture, side, on_tile):
            layers = place_layers(network, tile.cut(picture), tile)
            places = [scale * wide(values[0]) for scale, values in zip(self.scales, layers, strict=True)]
            own = F.normalize(torch.cat(places).flatten(1).T, dim=1, eps=FAINTEST) @ self.directions
            rows, columns = counted_places(tile)
            for k, bank in enumerate(banks):
                best = [(some @ bank).max(1) for some in own.split(_CHUNK)]
                size = found[k, rows, columns].shape
                likeness[k, rows, columns] = torch.cat([each.values for each in best]).view(size)
                found[k, rows, columns] = torch.cat([each.indices for each in best]).view(size) + first[k]
        return likeness, found


def candidates_of(
    network: LossNetwork, mixtures: Sequence[Mixture], side: int, on_tile: Callable[[], None] | None = None
) -> list[list[Candidates]]:
    """Those of each painting of a batch, by painting and region; mixtures [K] of paintings [1 or B,3,h,w]."""
    batch = max(len(painting) for mixture in mixtures for painting in mixture.paintings)
    return [
        [Candidates.of(network, _of_picture(mixture, i), side, on_tile) for mixture in mixtures]
        for i in range(batch)
    ]


def likeness_to(
    network: LossNetwork,
    pictures: Tensor,
    mixtures: Sequence[Mixture],
    shares: Tensor | None,
    side: int,
    on_tile: Callable[[], None] | None = None,
) -> Tensor:
    """How like the nearest place of its region's paintings each place of pictures [B,3,H,W] is.

    Cosines [B,1,h,w], 1 where features are not finite; shares [1 or B,K,H,W] with sums 1, or None with one
    region.
    """
    candidates = candidates_of(network, mixtures, side, on_tile)
    rules = None if shares is None else place_means(shares)
    found = []
    for i, picture in enumerate(pictures.split(1)):
        here = torch.stack(
            [
                each.likeness(network, picture, side, on_tile)
                for each in candidates[min(i, len(candidates) - 1)]
            ]
        )
        found.append(here[0] if rules is None else (here * rules[min(i, len(rules) - 1)]).sum(0))
    return torch.stack(found)[:, None].nan_to_num(1.0)


def fair_choice(likeness: Tensor, weights: Sequence[float], share: Tensor | None = None) -> Tensor:
    """Which of P paintings each place takes after, [h,w], by how like its best place is, [P,h,w].

    Each painting gets a share of the places as large as its weight, and those where it fits best. share
    [h,w]: how much each place counts; all alike without it.
    """
    if len(weights) == 1:
        return torch.zeros(likeness.shape[1:], dtype=torch.long, device=likeness.device)
    # Where places are all alike, no bonus would part them.
    noise = torch.rand(likeness.shape, generator=torch.Generator().manual_seed(0)).to(likeness)
    likeness = likeness + _NOISE * noise
    counted = torch.ones_like(likeness[0]) if share is None else share.to(likeness)
    counted = counted / counted.sum().clamp_min(FAINTEST)
    bonus = likeness.new_zeros(len(weights))
    wanted = likeness.new_tensor(weights)
    number = torch.arange(len(weights), device=likeness.device)
    for i in range(_ROUNDS):
        chosen = (likeness + bonus[:, None, None]).argmax(0)
        found = ((chosen == number[:, None, None]) * counted).sum((1, 2))
        bonus = bonus + (wanted - found) * _BONUS * _SMALLER**i
    return (likeness + bonus[:, None, None]).argmax(0)


def _of_picture(mixture: Mixture, i: int) -> Mixture:
    """The paintings [1,3,h,w] for picture `i` of a batch."""
    return Mixture([each[min(i, len(each) - 1)][None] for each in mixture.paintings], mixture.weights)


def _places(
    network: LossNetwork, painting: Tensor, most: int, side: int, on_tile: Callable[[], None] | None
) -> tuple[list[Tensor], list[Tensor]]:
    """Features of up to `most` places of a painting [1,3,h,w], [N,C] for each layer, and the mean energy of
    each layer."""
    height, width = place_count(painting)
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(0))
    taken = torch.zeros(height * width, dtype=torch.bool)
    taken[order[:most]] = True
    taken = taken.view(height, width).to(painting.device)
    number = torch.arange(height * width, device=painting.device).view(height, width)
    features, energies, found = [], [], []
    for tile in place_tiles(painting, side, on_tile):
        layers = place_layers(network, tile.cut(painting), tile)
        counted = counted_places(tile)
        here = taken[counted]
        found.append(number[counted][here])
        features.append([wide(values[0, :, here].T) for values in layers])
        energies.append([wide(values).square().sum() / (height * width) for values in layers])
    # In the painting's own order, whatever the tiles: of candidates that are alike the first is taken.
    order = torch.cat(found).argsort()
    return (
        [torch.cat(layer)[order] for layer in zip(*features, strict=True)],
        [torch.stack(layer).sum() for layer in zip(*energies, strict=True)],
    )


def _directions(features: Tensor) -> Tensor:
    """An orthonormal basis [C,D] of the directions in which features [N,C] have most of their energy, by
    orthogonal iteration; all directions where there are few features."""
    count, channels = features.shape
    if count <= 2 * _DIRECTIONS or channels <= 2 * _DIRECTIONS:
        return torch.eye(channels, dtype=features.dtype, device=features.device)
    basis = torch.randn(channels, _DIRECTIONS, generator=torch.Generator().manual_seed(0)).to(features)
    for _ in range(_ITERATIONS):
        basis = torch.linalg.qr(features.T @ (features @ basis)).Q
    return basis
