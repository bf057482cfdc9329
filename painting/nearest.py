"""The loss that refining minimises where every place is compared with the paintings' place most like it.

Statistics say how much there is of each stroke, not where it belongs: they are met by stains and grain, too.
Here every place of the picture gets the features of a place of the paintings, and the steps bring the picture
near to these (Neural Neighbor Style Transfer, Kolkin 2022). It departs from the paper so: what is matched is
a mean of the photo and the network's picture; colours stay where that mean has them, since a cosine does not
see how strong features are; features keep their means; and the places lie on another grid in each step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..models.normalization import wide
from ..models.perception.vgg import LossNetwork
from .calm_grounds import without_marks_on_plain_grounds
from .candidates import FAINTEST, Candidates, candidates_of
from .cell_losses import light_loss, photo_light, smooth_color_loss
from .objective import Mixture
from .options import RefineOptions
from .pixel_gradient import pixel_losses
from .places import counted_places, place_layers, place_means, place_tiles
from .tiles import Tile

# Where the places begin, in pixels down and across, in turns: what a single grid leaves is not seen.
GRIDS = ((0, 0), (2, 1), (1, 3), (3, 2))

# How much of the picture so far is matched beside the first picture, at a `content_weight` of 1: at the
# last size, and at those before, where strokes as large as the painting's form. With as much at the last
# size, faces get blotches.
_OWN, _OWN_BEFORE = 2.0, 14 / 3

# How much of the marks on plain grounds is not matched, at a `keep_calm` of 1. With all of them gone, walls
# are airbrushed; with none, single places of the painting pile up to crinkles, and pieces of it are pasted.
_CALMED, _CALMED_BEFORE = 0.35, 0.65

# Factors of losses at the options' values of 1; a cosine's distance is small beside other losses. Grain is
# squared differences of neighbours: with absolute ones, edges become stairs along the axes.
_STYLE, _GRAIN, _COLORS, _LIGHT = 0.1, 3.0, 0.00027, 0.025


class NearestObjective:
    """The losses of pictures [B,3,H,W] at one size, and their gradient; as `Objective`.

    picture [B,3,H,W]: what the steps begin with; start [B,3,H,W]: the first picture, which is matched
    together with it and gives the colours; last: whether this is the last size; photo, mixtures, shares, side
    and on_tile as in `Objective`.
    """

    def __init__(
        self,
        network: LossNetwork,
        picture: Tensor,
        start: Tensor,
        photo: Tensor,
        mixtures: Sequence[Mixture],
        shares: Tensor | None,
        options: RefineOptions,
        side: int,
        on_tile: Callable[[], None] | None = None,
        last: bool = True,
    ):
        self.last = last
        self.network, self.options, self.side, self.on_tile = network, options, side, on_tile
        self.turn = 0
        with torch.no_grad():
            # By painting of a batch and region.
            self.candidates = candidates_of(network, mixtures, side, on_tile)
            matched = self._matched(picture, start, photo)
            self.shares = [None if shares is None else place_means(_shifted(shares, grid)) for grid in GRIDS]
            # By grid, picture and region.
            self.nearest = [
                [self._chosen(own, i, turn) for i, own in enumerate(_shifted(matched, grid).split(1))]
                for turn, grid in enumerate(GRIDS)
            ]
            self.lights = photo_light(photo, shares) if options.keep_light else []
            self.start = start

    def gradient(self, picture: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Losses by name, scalars (means over the batch), and d total / d picture [B,3,H,W].

        "total" is the weighted sum. The gradient is that of the sum over the batch, so that each picture
        is refined as if it were alone.
        """
        options = self.options
        weights = {
            "nearest": _STYLE * options.style_weight,
            "grain": _GRAIN * options.smoothness,
            "range": options.range_weight,
            "light": _LIGHT * options.keep_light,
            "patch": _COLORS * options.keep_colors,
        }
        gradient = torch.zeros_like(picture)
        losses = {"nearest": self._nearest_loss(picture, gradient, weights["nearest"])}
        losses |= pixel_losses(picture, gradient, [], weights)
        if self.lights:
            losses["light"] = light_loss(picture, gradient, self.lights, weights["light"])
        if weights["patch"]:
            losses["patch"] = smooth_color_loss(picture, gradient, self.start, weights["patch"])
        means = {name: loss.detach().mean() for name, loss in losses.items()}
        total = torch.stack([weights[name] * mean for name, mean in means.items()]).sum()
        self.turn += 1
        return means | {"total": total}, gradient

    def _matched(self, picture: Tensor, start: Tensor, photo: Tensor) -> Tensor:
        """The pictures [B,3,H,W] whose places are looked for in the paintings."""
        kept = self.options.content_weight
        kept = kept / (kept + (_OWN if self.last else _OWN_BEFORE))
        matched = torch.lerp(picture, start, kept)
        calmed = min(1.0, (_CALMED if self.last else _CALMED_BEFORE) * self.options.keep_calm)
        return without_marks_on_plain_grounds(matched, photo, calmed) if calmed else matched

    def _of(self, i: int) -> list[Candidates]:
        """Those of picture `i`, by region."""
        return self.candidates[min(i, len(self.candidates) - 1)]

    def _chosen(self, picture: Tensor, i: int, turn: int) -> list[Tensor]:
        """The candidates that the places of picture `i` [1,3,H,W] take after, [h,w] for each region."""
        shares = self.shares[turn]
        own = None if shares is None else shares[min(i, len(shares) - 1)]
        return [
            each.nearest(self.network, picture, self.side, self.on_tile, None if own is None else own[k])
            for k, each in enumerate(self._of(i))
        ]

    def _nearest_loss(self, picture: Tensor, gradient: Tensor, weight: float) -> Tensor:
        """1 - the cosine to the chosen places, [B], means over the places; adds to `gradient`."""
        losses = []
        turn = self.turn % len(GRIDS)
        picture, gradient = _shifted(picture, GRIDS[turn]), _shifted(gradient, GRIDS[turn])
        for i, own in enumerate(picture.split(1)):
            found = []
            for tile in place_tiles(own, self.side, self.on_tile):
                read = tile.cut(own).detach().requires_grad_()
                with torch.enable_grad():
                    loss = self._tile_loss(read, tile, turn, i)
                    (change,) = torch.autograd.grad(weight * loss, read)
                tile.cut(gradient[i : i + 1]).add_(change)
                found.append(loss.detach())
            losses.append(torch.stack(found).sum())
        return torch.stack(losses)

    def _tile_loss(self, read: Tensor, tile: Tile, turn: int, i: int) -> Tensor:
        """The part of a tile in the loss of picture `i` on a grid, a scalar; read [1,3,h,w]: its pixels."""
        layers = place_layers(self.network, read, tile)
        rows, columns = counted_places(tile)
        loss = read.new_zeros(())
        for k, candidates in enumerate(self._of(i)):
            chosen = self.nearest[turn][i][k]
            wanted = candidates.features[chosen[rows, columns].flatten()]
            # Dot product and lengths layer by layer: the joined features would be a copy more.
            product, square = read.new_zeros(()), read.new_zeros(())
            parts = wanted.split([values.shape[1] for values in layers], 1)
            for scale, values, part in zip(candidates.scales, layers, parts, strict=True):
                own = wide(values[0].permute(1, 2, 0).flatten(0, 1))
                product = product + scale * (own * part).sum(1)
                square = square + scale.square() * own.square().sum(1)
            error = 1 - product / (square + FAINTEST).sqrt()
            shares = self.shares[turn]
            if shares is not None:
                error = error * shares[min(i, len(shares) - 1), k, rows, columns].flatten()
            loss = loss + error.sum() / chosen.numel()
        return loss


def _shifted(picture: Tensor, grid: tuple[int, int]) -> Tensor:
    """A view of [B,C,H,W] without what is before the first place."""
    return picture[..., grid[0] :, grid[1] :]
