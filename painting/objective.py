"""The loss that refining minimises at one size: style at three sizes, content, colours, light, pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..models.normalization import wide
from ..models.perception.pixel_losses import ground_limits, plain_steps
from ..models.perception.statistics import SIZES, SMALLEST_SIDE, moments_of, normalized, sized_pictures
from ..models.perception.vgg import CONTENT_LAYER, STYLE_LAYERS, LossNetwork
from .cell_losses import cell_colors, light_loss, patch_loss, photo_light
from .guidance import painting_plainness, photo_plainness, split
from .halves import grown_to, halved, through_halves
from .options import RefineOptions
from .pixel_gradient import pixel_losses
from .tiles import PIXELS, STRIDES, Sums, View, loss_and_gradients, picture_sums, tiles

# Means and deviations count twice beside Gram matrices, as in training.
MOMENTS = 2.0

# Shares of the sizes in the style loss. The whole size alone sees the finest strokes, and it gets the fewest
# steps; the other two are far along before it begins.
SIZE_SHARES = {"whole": 0.5, "half": 0.25, "quarter": 0.25}

# The factor of the content loss at a `content_weight` of 1: refining keeps as much of the photo as the
# network does in one pass.
CONTENT = 1.4

# The factor of the ground loss, whose values are small, at a `keep_calm` of 1.
CALM = 40.0

# A black painting has no energy to divide by; a hundredth is a tenth of white. A plain one has no spread of
# colours. The plain part of a painting has little, which must not outweigh its mean.
_DARKEST = 1e-2
_PLAINEST = 1e-5
_PLAINEST_PART = 2e-3

# Channels that are normalised at a time, which bounds the float32 copies.
_CHANNELS = 32


@dataclass(frozen=True, eq=False)
class Mixture:
    """Paintings [1 or B,3,h,w], already scaled, and their weights, which sum to 1."""

    paintings: Sequence[Tensor]
    weights: Sequence[float]


class Objective:
    """The losses of pictures [B,3,H,W] at one size, and their gradient.

    photo [B,3,H,W]; mixtures: one for each of K regions; shares [1 or B,K,H,W] with sums 1, or None with one
    region. With `match` "parts" each region is two: what is plain, and the rest. Targets are computed once,
    here, in tiles of `side` pixels. `on_tile` is called before each tile. colors_from [B,3,H,W]: the picture
    whose colours stay where they are, or None.
    """

    def __init__(
        self,
        network: LossNetwork,
        photo: Tensor,
        mixtures: Sequence[Mixture],
        shares: Tensor | None,
        options: RefineOptions,
        side: int,
        on_tile: Callable[[], None] | None = None,
        colors_from: Tensor | None = None,
    ):
        self.network, self.options, self.side, self.on_tile = network, options, side, on_tile
        with torch.no_grad():
            sizes = [(picture.shape[-2], picture.shape[-1]) for picture in sized_pictures(photo)]
            content, self.content_moments = self._content_target(photo)
            self.guided = options.match == "parts"
            ruled = split(shares, photo_plainness(photo)) if self.guided else shares
            self.views = [
                View(size, None if ruled is None else _layer_shares(ruled, 2**i), None if i else content)
                for i, size in enumerate(sizes)
            ]
            self.areas = [_areas(view, photo) for view in self.views]
            self.targets = self._style_targets(mixtures)
            self.limits = ground_limits(photo, _plain_steps(mixtures)) if options.keep_calm else []
            self.lights = photo_light(photo, shares) if options.keep_light else []
            self.colors = cell_colors(colors_from) if options.keep_colors and colors_from is not None else []

    def gradient(self, picture: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Losses by name, scalars (means over the batch), and d total / d picture [B,3,H,W].

        "total" is the weighted sum. The gradient is that of the sum over the batch, so that each picture
        is refined as if it were alone.
        """
        # Losses on statistics of features, at every size of the picture, and their gradient.
        losses: dict[str, Tensor] = {}

        def loss_of(found: list[Sums]) -> Tensor:
            losses.update(self._losses(found))
            return torch.stack([self._weight(name) * loss.sum() for name, loss in losses.items()]).sum()

        with torch.no_grad():
            pictures = [picture]
            while len(pictures) < len(self.views):
                pictures.append(halved(pictures[-1]))
        with torch.enable_grad():
            _, gradients = loss_and_gradients(
                self.network, pictures, self.views, loss_of, self.side, self.on_tile
            )
        gradient = through_halves(gradients)
        del pictures, gradients

        # Losses on pixels and on cells add theirs.
        weights = {name: self._weight(name) for name in ("tv", "range", "ground")}
        losses |= pixel_losses(picture, gradient, self.limits, weights)
        if self.lights:
            losses["light"] = light_loss(picture, gradient, self.lights, self._weight("light"))
        if self.colors:
            losses["patch"] = patch_loss(picture, gradient, self.colors, self._weight("patch"))
        means = {name: loss.detach().mean() for name, loss in losses.items()}
        total = torch.stack([self._weight(name) * mean for name, mean in means.items()]).sum()
        return means | {"total": total}, gradient

    def _weight(self, name: str) -> float:
        """The factor of a loss in the total."""
        options = self.options
        kind, _, size = name.partition("_")
        if kind in ("gram", "moments"):
            share = SIZE_SHARES[size] / sum(SIZE_SHARES[each] for each in SIZES[: len(self.views)])
            return options.style_weight * (MOMENTS if kind == "moments" else 1.0) * share
        return {
            "content": CONTENT * options.content_weight,
            "colour": options.color_weight,
            "tv": options.smoothness,
            "range": options.range_weight,
            "ground": CALM * options.keep_calm,
            "light": options.keep_light,
            "patch": options.keep_colors,
        }[kind]

    def _losses(self, found: list[Sums]) -> dict[str, Tensor]:
        """Losses on statistics by name, [B] each: "gram_whole", "moments_whole", …, "content", "colour"."""
        losses = {}
        for size, sums, target, areas in zip(SIZES, found, self.targets, self.areas, strict=False):
            weights = areas[PIXELS]
            grams, moments = [], []
            for layer in STYLE_LAYERS:
                gram, mean = _per_region(sums, layer, areas[layer])
                wanted, wanted_mean = target[f"{layer}.gram"], target[f"{layer}.mean"]
                grams.append((_relative(gram, wanted) * weights).sum(1))
                error = _relative(moments_of(gram, mean), moments_of(wanted, wanted_mean))
                moments.append((error * weights).sum(1))
            losses[f"gram_{size}"] = torch.stack(grams).mean(0)
            losses[f"moments_{size}"] = torch.stack(moments).mean(0)
        losses["content"] = self._content_loss(found[0])
        losses["colour"] = self._color_loss(found[0])
        return losses

    def _content_loss(self, sums: Sums) -> Tensor:
        """`content_loss` [B] from means: E(n(f) - t)^2 = E n(f)^2 - 2 E n(f) t + E t^2."""
        mean = sums[f"{CONTENT_LAYER}.mean"].sum(1)
        variance = sums[f"{CONTENT_LAYER}.gram"].diagonal(dim1=-2, dim2=-1).sum(1) - mean.square()
        variance = variance.clamp_min(0)
        deviation = (variance + 1e-5).sqrt()
        target_mean, target_square = self.content_moments
        together = (sums[f"{CONTENT_LAYER}.cross"] - mean * target_mean) / deviation
        return (variance / (variance + 1e-5) - 2 * together + target_square).mean(1)

    def _color_loss(self, sums: Sums) -> Tensor:
        """|m(x) - m(s)|^2 / |m(s)|^2 + |C(x) - C(s)|^2 / |C(s)|^2 [B]; m mean colour, C covariance."""
        area = self.areas[0][PIXELS]
        gram, mean = _per_region(sums, PIXELS, area)
        wanted, wanted_mean = self.targets[0][f"{PIXELS}.gram"], self.targets[0][f"{PIXELS}.mean"]
        spread, wanted_spread = (
            g - m[..., None] * m[..., None, :] for g, m in ((gram, mean), (wanted, wanted_mean))
        )
        size = wanted_mean.square().sum(2).clamp_min(_DARKEST)
        error = (mean - wanted_mean).square().sum(2) / size
        size = wanted_spread.square().sum((2, 3)) + (_PLAINEST_PART if self.guided else _PLAINEST)
        error = error + (spread - wanted_spread).square().sum((2, 3)) / size
        return (error * area).sum(1)

    def _content_target(self, photo: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The photo's normalised relu4_1 t, [B,512,H/8,W/8], in the type of the loss network's features, and
        the means [B,512] of t and t^2."""
        batch, _, height, width = photo.shape
        stride = STRIDES[CONTENT_LAYER]
        target = torch.empty(
            (batch, 512, height // stride, width // stride),
            dtype=self.network.dtype,
            device=photo.device,
            memory_format=torch.channels_last,
        )
        for tile in tiles((height, width), self.side):
            if self.on_tile:
                self.on_tile()
            values = self.network(photo[..., tile.rows.read, tile.columns.read])[CONTENT_LAYER]
            inside = values[..., tile.rows.inside(stride), tile.columns.inside(stride)]
            target[..., tile.rows.counted(stride), tile.columns.counted(stride)] = inside
        means, squares = [], []
        for some in target.chunk(target.shape[1] // _CHANNELS, 1):
            some.copy_(normalized(some))
            means.append(wide(some).mean((2, 3)))
            squares.append(wide(some).square().mean((2, 3)))
        return target, (torch.cat(means, 1), torch.cat(squares, 1))

    def _style_targets(self, mixtures: Sequence[Mixture]) -> list[Sums]:
        """The averaged statistics of each region's paintings at each size, [1 or B,K,…]."""
        regions: list[list[Sums]] = []
        for mixture in mixtures:
            mixed: list[Sums] = [{} for _ in self.views]
            for painting, weight in zip(mixture.paintings, mixture.weights, strict=True):
                picture = painting
                for i, sums in enumerate(mixed):
                    picture = grown_to(halved(picture) if i else picture, SMALLEST_SIDE)
                    for name, value in self._painting_sums(picture).items():
                        sums[name] = sums.get(name, 0) + weight * value
            regions.append(mixed)
        return [
            {name: _joined([mixed[i][name] for mixed in regions]) for name in regions[0][i]}
            for i in range(len(self.views))
        ]

    def _painting_sums(self, painting: Tensor) -> Sums:
        """The means over a painting [1 or B,3,h,w], or over its plain part and over the rest."""
        size = (painting.shape[-2], painting.shape[-1])
        if not self.guided:
            return picture_sums(self.network, painting, View(size), self.side, self.on_tile)
        view = View(size, _layer_shares(split(None, painting_plainness(painting)), 1))
        areas = _areas(view, painting)
        sums = picture_sums(self.network, painting, view, self.side, self.on_tile)
        found: Sums = {}
        for layer in STRIDES:
            found[f"{layer}.gram"], found[f"{layer}.mean"] = _per_region(sums, layer, areas[layer])
        return found


def _per_region(sums: Sums, layer: str, area: Tensor) -> tuple[Tensor, Tensor]:
    """Gram matrices [B,K,C,C] and means [B,K,C] of each region by itself; area [1 or B,K]."""
    area = area.clamp_min(1e-6)
    return sums[f"{layer}.gram"] / area[..., None, None], sums[f"{layer}.mean"] / area[..., None]


def _relative(found: Tensor, target: Tensor) -> Tensor:
    """|found - target|^2 / |target|^2, [B,K]."""
    error = (found - target).square().flatten(2).sum(2)
    return error / target.square().flatten(2).sum(2).clamp_min(1e-8)


def _joined(values: Sequence[Tensor]) -> Tensor:
    """Regions side by side, [1 or B,1,…] each; one painting beside a batch of them is for all pictures."""
    batch = max(len(value) for value in values)
    return torch.cat([value.expand(batch, *value.shape[1:]) for value in values], 1)


def _layer_shares(shares: Tensor, factor: int) -> dict[str, Tensor]:
    """Shares of the cells of every layer in a picture of 1/`factor` of the size."""
    small = F.avg_pool2d(shares, factor) if factor > 1 else shares
    by_stride = {
        stride: F.avg_pool2d(small, stride) if stride > 1 else small for stride in {*STRIDES.values()}
    }
    return {layer: by_stride[stride] for layer, stride in STRIDES.items()}


def _areas(view: View, photo: Tensor) -> dict[str, Tensor]:
    """The share of the picture that each region has, [1 or B,K], layer by layer."""
    if view.shares is None:
        return {layer: photo.new_ones(1, 1) for layer in STRIDES}
    return {layer: shares.mean((2, 3)) for layer, shares in view.shares.items()}


def _plain_steps(mixtures: Sequence[Mixture]) -> list[tuple[Tensor, Tensor]]:
    """The allowances of `plain_steps`, averaged over all paintings, [1 or B] each."""
    mixed: list[tuple[Tensor, Tensor]] = []
    shares: list[float] = []
    for mixture in mixtures:
        for painting, weight in zip(mixture.paintings, mixture.weights, strict=True):
            for i, (down, across) in enumerate(plain_steps(painting)):
                if i == len(mixed):
                    mixed.append((torch.zeros_like(down), torch.zeros_like(across)))
                    shares.append(0.0)
                mixed[i] = mixed[i][0] + weight * down, mixed[i][1] + weight * across
                shares[i] += weight
    return [
        (down / max(share, 1e-8), across / max(share, 1e-8))
        for (down, across), share in zip(mixed, shares, strict=True)
    ]
