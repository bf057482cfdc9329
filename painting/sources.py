"""The checked photos, paintings and masks of refining, brought to any size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base.counts import counted
from ..base.settings import as_floats, scaled_weights
from ..models.coded_colors import ColorChange
from ..models.devices import sampled
from ..models.layer_statistics import ColorMoments
from ..models.perception.statistics import color_moments, gram_and_mean
from ..models.regions import region_shares
from ..models.strips import Strip
from ..pictures.color import luma
from ..pictures.values import check_floating, checked_mask, unit_range
from .calm_grounds import blurred
from .colors import match_moments, moments_where
from .halves import grown_to
from .objective import Mixture
from .options import SMALLEST_SIDE, RefineOptions
from .palette import match_palette

# A line along a whole side of a painting, within this share of its height or width from the edge, is that of
# a frame or of paper around it.
_MARGIN = 0.06

# In a smaller picture a row of pixels is no line.
_SMALLEST_FRAMED = 64

# Across such a line, this share of the pixels become lighter, or darker, by so much at least.
_ALONG, _STEP = 0.75, 0.04

# How fast the colours of the picture to start from take over where the photo's share becomes less than 1, and
# in pixels, how fine they are: finer ones are the photo's.
_IN_START_COLORS, _FINE_COLORS = 2.5, 3.0

# A start with less than one part in so many of the photo's contrast is plain.
_PLAINEST = 2.0

# A picture that differs from the photo by no more is the photo, whatever type it had.
_SAME = 2 / 255

# A painting is not read larger than this: there is no more to see in it, only more to compute.
_LARGEST_PAINTING = 4096**2


@dataclass(frozen=True, eq=False)
class Region:
    """Paintings that rule where a mask is 1: mask [1 or B,h,w] in 0..1, stretched to the photo.

    paintings: one [1 or B,3,h,w], or several that are averaged with `weights` (equal without). Regions lie on
    each other in their order. The paintings that `refine` got rule where no mask is. Grey masks share a
    place: `models.regions.feather_mask` makes soft edges.
    """

    mask: Tensor
    paintings: Tensor | Sequence[Tensor]
    weights: Sequence[float] | None = None


class Sources:
    """Checked inputs of `refine`, on the photo's device.

    Raises ValueError, one sentence, for pictures, weights or masks of the wrong shape or with values that are
    not finite.
    """

    def __init__(
        self,
        start: Tensor | None,
        photo: Tensor,
        paintings: Tensor | Sequence[Tensor],
        weights: Sequence[float] | None,
        regions: Sequence[Region],
        options: RefineOptions,
    ):
        photo = _checked("photo", photo)
        start = photo if start is None else _checked("start", start).to(photo)
        if start.shape[-2:] != photo.shape[-2:]:
            raise ValueError(
                f"start has {_pixels(start)} pixels and photo {_pixels(photo)}; give both in the same size."
            )
        batch = max(len(photo), len(start))
        self.stroke_size = options.stroke_size
        self.size = (photo.shape[-2], photo.shape[-1])
        self.photo = _batched("photo", photo, batch)
        self.start = _batched("start", start, batch)
        mixtures = [_mixture(paintings, weights, batch, photo)]
        mixtures += [_mixture(each.paintings, each.weights, batch, photo) for each in regions]
        masks = [_mask(each.mask, batch, photo) for each in regions]
        if options.preserve_color == "histogram":
            mixtures = [_in_photo_colors(mixture, self.photo) for mixture in mixtures]
            self.start = match_palette(self.start, self.photo)
        self.photo, self.start = (grown_to(each, SMALLEST_SIDE) for each in (self.photo, self.start))
        shares = self._shares(masks, batch)
        # A region that is covered everywhere costs nothing.
        seen = [True] if shares is None else (shares.amax((0, 2, 3)) > 0).tolist()
        self.mixtures = [mixture for mixture, is_seen in zip(mixtures, seen, strict=True) if is_seen]
        self._whole_shares = None if shares is None or sum(seen) == 1 else shares[:, torch.tensor(seen)]
        self.start = self._begun(options.photo_share if options.optimize == "nearest" else 0.0)

    def _shares(self, masks: Sequence[Tensor], batch: int) -> Tensor | None:
        if not masks:
            return None
        count = max(len(mask) for mask in masks)
        shares = []
        for i in range(count):
            own = [mask[min(i, len(mask) - 1)][None] for mask in masks]
            shares.append(region_shares(own, self.size, self.size, 1).permute(2, 0, 1))
        return grown_to(torch.stack(shares), SMALLEST_SIDE)

    def _begun(self, photo_share: float) -> Tensor:
        """The first picture [B,3,H,W]: `photo_share` of the photo and the rest of the start.

        It has the paintings' mean colour and covariance, each region its own.

        The loss network answers less and less to a picture that gets darker than the mean of its training
        pictures. No gradient leads from a dark picture to a light painting, so colours come first.
        """
        is_photo = (self.start - self.photo).abs().amax((1, 2, 3), keepdim=True) <= _SAME
        mixes = photo_share > 0 and not is_photo.all()
        found = torch.zeros_like(self.start)
        for k, mixture in enumerate(self.mixtures):
            wanted = ColorMoments(*_moments(mixture))
            own = _recolored(self.start, wanted)
            if mixes:
                mixed = _mixed(own, _recolored(self.photo, wanted), photo_share)
                own = torch.where(is_photo, own, mixed)
            found += own if self._whole_shares is None else self._whole_shares[:, k, None] * own
        return found

    def in_start_colors(self, picture: Tensor) -> Tensor:
        """The picture [B,3,h,w] with mean colour and covariance of the one to begin with, in each region.

        Over the whole picture these are the paintings'. In a region, such as a plain sky, they are what the
        paintings' colours make of what it shows.
        """
        size = (picture.shape[-2], picture.shape[-1])
        start, shares = self.start_at(size), self.shares_at(size)
        if shares is None:
            return match_moments(picture, *color_moments(start))
        found = torch.zeros_like(picture)
        for share in shares.split(1, 1):
            wanted, own = (moments_where(each, share[:, 0]) for each in (start, picture))
            found += share * match_moments(picture, *wanted, own)
        return found

    def start_at(self, size: tuple[int, int]) -> Tensor:
        """The picture to begin with, in the paintings' colours, [B,3,h,w] at `size`."""
        return resized(self.start, size)

    def photo_at(self, size: tuple[int, int]) -> Tensor:
        """The photo [B,3,h,w] at `size`."""
        return resized(self.photo, size)

    def shares_at(self, size: tuple[int, int]) -> Tensor | None:
        """How much each region rules in every pixel, [1 or B,K,h,w] with sums 1; None for one region."""
        if self._whole_shares is None:
            return None
        shares = resized(self._whole_shares, size)
        return shares / shares.sum(1, keepdim=True).clamp_min(1e-6)

    def mixtures_at(self, size: tuple[int, int]) -> list[Mixture]:
        """Each region's paintings at the size at which they are read: equal areas times stroke_size^2."""
        return [
            Mixture([self._read(painting, size) for painting in mixture.paintings], mixture.weights)
            for mixture in self.mixtures
        ]

    def enlargement(self) -> float:
        """How many times its own size the smallest painting is read, for a picture of the photo's size."""
        return max(
            self._scale(painting, self.size) for mixture in self.mixtures for painting in mixture.paintings
        )

    def _read(self, painting: Tensor, size: tuple[int, int]) -> Tensor:
        # A frame that is not read belongs to the painting: strokes keep their size.
        scale = self._scale(painting, size)
        painting = without_frame(painting)
        height, width = painting.shape[-2:]
        return resized(painting, (max(1, round(height * scale)), max(1, round(width * scale))))

    def _scale(self, painting: Tensor, size: tuple[int, int]) -> float:
        pixels = painting.shape[-2] * painting.shape[-1]
        area = min(size[0] * size[1] * self.stroke_size**2, max(_LARGEST_PAINTING, pixels))
        return math.sqrt(area / pixels)


def resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """[B,C,H,W] in 0..1 brought to `size`, in 0..1: bicubic, averaged where it shrinks."""
    if tuple(picture.shape[-2:]) == size:
        return picture
    resize = partial(F.interpolate, size=size, mode="bicubic", antialias=True, align_corners=False)
    return sampled(resize, picture).clamp(0, 1)


def _checked(name: str, picture: Tensor) -> Tensor:
    """[B,3,H,W] float32 in 0..1; grey pictures [B,1,H,W] get three channels."""
    picture = check_floating(picture, name)
    if picture.ndim != 4 or picture.shape[1] not in (1, 3) or not picture.numel():
        raise ValueError(
            f"{name} has the shape {list(picture.shape)}; give [B,3,H,W] with red, green and blue in 0..1."
        )
    picture = unit_range(picture.detach().float(), name)
    return picture.expand(-1, 3, -1, -1)


def _batched(name: str, picture: Tensor, batch: int) -> Tensor:
    if len(picture) not in (1, batch):
        other = "start" if name == "photo" else "photo"
        raise ValueError(
            f"{name} has {counted(len(picture), 'picture')} and {other} has {batch}; give as many of both, "
            "or one for all."
        )
    return picture.expand(batch, *picture.shape[1:])


def _mixture(
    paintings: Tensor | Sequence[Tensor], weights: Sequence[float] | None, batch: int, photo: Tensor
) -> Mixture:
    # Check the weights, then each painting.
    paintings = list(paintings) if isinstance(paintings, (list, tuple)) else [cast(Tensor, paintings)]
    if not paintings:
        raise ValueError("There is no painting; give at least one.")
    weights = [1.0] * len(paintings) if weights is None else as_floats(weights)
    if len(weights) != len(paintings):
        found = f"{counted(len(weights), 'number')} for {counted(len(paintings), 'painting')}"
        raise ValueError(f"weights has {found}; give one for each.")
    weights = scaled_weights(weights)
    checked = []
    for i, painting in enumerate(paintings):
        name = "painting" if len(paintings) == 1 else f"painting {i + 1}"
        painting = _checked(name, painting).to(photo)
        if len(painting) not in (1, batch):
            raise ValueError(
                f"{name} is a batch of {len(painting)} for {counted(batch, 'photo')}; give one for all, one "
                "for each, or a list to average them."
            )
        checked.append(painting)
    # A painting without a weight costs nothing.
    used = [(painting, weight) for painting, weight in zip(checked, weights, strict=True) if weight]
    return Mixture([painting for painting, _ in used], [weight / sum(weights) for _, weight in used])


def without_frame(painting: Tensor) -> Tensor:
    """The painting [B,3,h,w] without paper and frame around it, which would become strips along the edges of
    the picture."""
    brightness = painting.mean((0, 1))
    rows, columns = _inside(brightness), _inside(brightness.T)
    # As a painting of its own lies in memory: the same numbers to the last bit.
    return painting[..., rows, columns].contiguous()


def _inside(brightness: Tensor) -> slice:
    """Which rows of [n,m] lie between the innermost lines near both ends."""
    steps = brightness.diff(dim=0)
    along = torch.maximum(*((step > _STEP).float().mean(1) for step in (steps, -steps)))
    lines = (along >= _ALONG).tolist()
    margin = int(_MARGIN * len(brightness)) if min(brightness.shape) >= _SMALLEST_FRAMED else 0
    first = max((i + 1 for i in range(margin) if lines[i]), default=0)
    last = min((i + 1 for i in range(len(lines) - margin, len(lines)) if lines[i]), default=len(brightness))
    return slice(first, last)


def _mask(mask: Tensor, batch: int, photo: Tensor) -> Tensor:
    if not isinstance(mask, Tensor) or mask.is_nested:
        raise ValueError(f"A mask is of the type {type(mask).__name__}; give a tensor in 0..1.")
    if mask.ndim != 3 or not mask.numel() or len(mask) not in (1, batch):
        each = f", or [{batch},h,w] for {batch} photos" if batch > 1 else ""
        raise ValueError(f"A mask has the shape {list(mask.shape)}; give [1,h,w]{each}.")
    return checked_mask(mask.detach(), "A mask").to(photo)


def _recolored(picture: Tensor, wanted: ColorMoments) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with these moments. Contrast grows as far as in the network: a plain sky
    stretched to a painting's range shows the blocks of its JPEG, and places would take after corners."""
    change = ColorChange.between(ColorMoments(*color_moments(picture)), wanted)
    return change.applied(picture, None, Strip.whole(picture.shape[-2])).clamp(0, 1)


def _mixed(start: Tensor, photo: Tensor, share: float) -> Tensor:
    """`share` of the photo and the rest of the picture to start from [B,3,H,W], in the colours of the latter.

    Where the two differ, their mean is grey, and a woodcut has no greys: light and dark get the start's
    distribution. Colours lie where it has them, too. The photo alone stays as it is: a plain sky has too few
    colours to be stretched to another picture's. A start that is plain has no distribution to give.
    """
    mixed = torch.lerp(start, photo, share)
    if share == 1:
        return mixed
    contrast, most = (luma(each).std((2, 3), correction=0, keepdim=True) for each in (start, photo))
    amount = (_PLAINEST * contrast / most.clamp_min(1e-6)).clamp(max=1)
    amount = amount * min(1.0, _IN_START_COLORS * (1 - share))
    mixed = torch.lerp(mixed, match_palette(mixed, start), amount)
    colors = start - luma(start) - mixed + luma(mixed)
    return (mixed + amount * blurred(colors, _FINE_COLORS)).clamp_(0, 1)


def _moments(mixture: Mixture) -> tuple[Tensor, Tensor]:
    """Mean colour [1 or B,3] and covariance [1 or B,3,3] of the pixels of all the paintings."""
    like = mixture.paintings[0]
    gram, mean = like.new_zeros(1, 3, 3), like.new_zeros(1, 3)
    for painting, weight in zip(mixture.paintings, mixture.weights, strict=True):
        own_gram, own_mean = gram_and_mean(without_frame(painting))
        gram, mean = gram + weight * own_gram, mean + weight * own_mean
    return mean, gram - mean[:, :, None] * mean[:, None, :]


def _in_photo_colors(mixture: Mixture, photo: Tensor) -> Mixture:
    """The paintings with the photos' colours, one for each photo."""
    paintings = [match_palette(each.expand(len(photo), -1, -1, -1), photo) for each in mixture.paintings]
    return Mixture(paintings, mixture.weights)


def _pixels(picture: Tensor) -> str:
    return f"{picture.shape[-1]} x {picture.shape[-2]}"
