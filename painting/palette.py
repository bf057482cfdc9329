"""A photo's palette under a painting's brushwork: the photo's light and dark, and at each its colours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..models.devices import with_float64
from ..pictures.color import REC_601, match_histogram

_RED, _GREEN, _BLUE = REC_601

# Ranges of light that have colours of their own: this many, each with as many pixels of the photo, cut where
# they are wider than a part of all light. Pictures of few pixels have fewer.
_RANGES = 24
_WIDEST = 1 / 64
_FEWEST = 64

# The variance that counts as noise, of a deviation of two per cent, and the largest factor for differences in
# colour: an engraving has next to none, and enlarged they would be confetti.
_NOISE = 4e-4
_LARGEST_FACTOR = 4.0

# Less of all pixels than this has no colours.
_FAINTEST = 1e-9

# Pixels that are recoloured at a time.
_PIXELS = 2**20


def match_palette(painted: Tensor, photo: Tensor) -> Tensor:
    """`painted` [B,3,H,W] in the colours of `photo` [B,3,h,w], picture by picture; all in 0..1.

    First its light gets the photo's distribution, exactly and in order (`match_histogram`), so strokes
    survive. Then, at each light, its colours get the mean and the covariance that the photo's have there, by
    the map that moves them least (Monge-Kantorovich; Pitié & Kokaram 2007). So the result has only colours
    that the photo has at that light: a black-and-white photo gives black and white, a sepia one sepia. What
    does not exist in 0..1 loses saturation and keeps its light.
    """
    return with_float64(_matched, painted, photo)


def _matched(painted: Tensor, photo: Tensor) -> Tensor:
    light = match_histogram(light_of(painted), light_of(photo))
    result = torch.empty_like(painted, memory_format=torch.contiguous_format)
    for i in range(len(painted)):
        pixels, own = painted[i].flatten(1), light[i].flatten()
        change = PaletteChange.between(pixels, own, photo[i].flatten(1))
        result[i] = change.recolored(pixels, own).view_as(result[i])
    return result


def light_of(picture: Tensor) -> Tensor:
    """[B,3,H,W] -> [B,1,H,W]. Of grey exactly that grey: it is green plus differences."""
    red, green, blue = picture.split(1, 1)
    light: Tensor = green + _RED * (red - green) + _BLUE * (blue - green)
    return light


@dataclass(frozen=True, eq=False)
class PaletteChange:
    """What happens to colours at each of K lights: centres [K], matrices [K,2,2] and offsets [K,2]."""

    centers: Tensor
    change: Tensor
    offset: Tensor

    @classmethod
    def between(cls, painted: Tensor, light: Tensor, photo: Tensor) -> PaletteChange:
        """That gives painted pixels [3,N], whose new `light` is [N], the colours of the photo's [3,M]."""
        own_light = light_of(photo[None, :, :, None]).flatten()
        return cls(*_changes(_colors(painted), light, _colors(photo), own_light))

    def recolored(self, painted: Tensor, light: Tensor) -> Tensor:
        """Pixels [3,N] whose new `light` is [N], in 0..1."""
        parts = [
            _with_light(part, _changed(_colors(pixels), part, self.centers, self.change, self.offset))
            for pixels, part in zip(painted.split(_PIXELS, 1), light.split(_PIXELS), strict=True)
        ]
        return torch.cat(parts, 1)


def _colors(pixels: Tensor) -> Tensor:
    """[3,N] -> [2,N]: red minus green and blue minus green, exactly 0 for grey."""
    return pixels[[0, 2]] - pixels[1]


def _changes(colors: Tensor, light: Tensor, wanted: Tensor, wanted_light: Tensor) -> tuple[Tensor, ...]:
    """Ranges of light: their centres [K], and for each the matrix [K,2,2] and offset [K,2] of its colours."""
    edges = _edges(wanted_light, min(len(light), len(wanted_light)) // _FEWEST)
    ranges = torch.bucketize(wanted_light, edges, right=True)
    numbers = torch.bincount(ranges, minlength=len(edges) + 1)
    centers = (torch.bincount(ranges, wanted_light.double(), len(numbers)) / numbers).to(light.dtype)
    # The photo's pixels count where they are. Painted ones count for both centres that they lie between, as
    # they are changed by both: a rounding error at the border of two ranges would change the colours of all.
    mean, covariance = _moments(colors, *_between(light, centers), len(numbers))
    wanted_mean, wanted_covariance = _moments(
        wanted, ranges, ranges, torch.zeros_like(wanted_light), len(numbers)
    )
    change = _least_move(covariance, wanted_covariance)
    offset = wanted_mean - (change @ mean[..., None])[..., 0]
    return centers, change.to(light.dtype), offset.to(light.dtype)


def _edges(light: Tensor, most: int) -> Tensor:
    """Where ranges of light [N] meet, each with pixels in it; nowhere if there may be one at `most`."""
    if most < 2:
        return light[:0]
    ordered = light.sort().values
    count = min(_RANGES, most)
    places = torch.arange(1, count, device=light.device) * len(ordered) // count
    even = torch.arange(_WIDEST, 1, _WIDEST, dtype=light.dtype, device=light.device)
    # Between two values and not at one: many pixels have the same light, and rounding would part them.
    values, group = torch.unique_consecutive(ordered, return_inverse=True)
    group = group[places]
    between = (values[group] + values[(group - 1).clamp_min(0)])[group > 0] / 2
    # Not right beside another edge: a sliver of a range has few pixels, and theirs are no colours of a light.
    apart = (even[:, None] - between).abs().amin(1) if len(between) else torch.ones_like(even)
    edges: Tensor = torch.cat([between, even[apart > _WIDEST / 2]]).unique()
    used: Tensor = torch.bucketize(ordered, edges, right=True).unique()
    edges = edges[used[1:] - 1]
    return edges


def _moments(
    colors: Tensor, before: Tensor, after: Tensor, share: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Means [K,2] and covariances [K,2,2] of the colours [2,N] in each of K ranges.

    A pixel counts with `share` [N] for the range `after` and with the rest for the range `before`, [N] each.
    """
    share = share.double()

    def sums(values: Tensor | float) -> Tensor:
        return torch.bincount(before, (1 - share) * values, count) + torch.bincount(
            after, share * values, count
        )

    number = sums(1.0).clamp_min(_FAINTEST)
    first, second = colors.double()
    mean = torch.stack([sums(first), sums(second)], 1) / number[:, None]
    square = torch.stack([sums(first * first), sums(first * second), sums(second * second)], 1)
    covariance = (square / number[:, None])[:, [0, 1, 1, 2]].view(-1, 2, 2)
    return mean, covariance - mean[:, :, None] * mean[:, None, :]


def _between(light: Tensor, centers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The two centres [K] that each light [N] lies between, by their numbers, and the share of the second;
    beyond the first and the last centre that one alone."""
    after = torch.bucketize(light, centers).clamp(1, max(1, len(centers) - 1))
    before, after = after - 1, after.clamp_max(len(centers) - 1)
    width = (centers[after] - centers[before]).clamp_min(1e-6)
    return before, after, ((light - centers[before]) / width).clamp(0, 1)


def _least_move(covariance: Tensor, wanted: Tensor) -> Tensor:
    """The symmetric matrices [K,2,2] that turn one covariance into the other, no factor above the largest."""
    noisy = covariance + _NOISE * torch.eye(2, dtype=covariance.dtype, device=covariance.device)
    root, back = symmetric_power(noisy, 0.5), symmetric_power(noisy, -0.5)
    change = back @ symmetric_power(root @ wanted @ root, 0.5) @ back
    values, vectors = torch.linalg.eigh(change)
    bounded: Tensor = (vectors * values.clamp(0, _LARGEST_FACTOR)[:, None]) @ vectors.transpose(1, 2)
    return bounded


def symmetric_power(matrices: Tensor, exponent: float) -> Tensor:
    """Symmetric matrices [K,N,N] without negative eigenvalues to a power; finite also if one is 0."""
    values, vectors = torch.linalg.eigh(matrices)
    values = values.clamp_min(0 if exponent > 0 else 1e-12).pow(exponent)
    power: Tensor = (vectors * values[:, None]) @ vectors.transpose(1, 2)
    return power


def _changed(colors: Tensor, light: Tensor, centers: Tensor, change: Tensor, offset: Tensor) -> Tensor:
    """The colours [2,N] changed as their light asks for, in between two centres by both."""
    before, after, share = _between(light, centers)
    a, b, _, d, x, y = torch.cat([change.flatten(1), offset], 1).T
    a, b, d, x, y = (torch.lerp(each[before], each[after], share) for each in (a, b, d, x, y))
    first, second = colors
    return torch.stack([a * first + b * second + x, b * first + d * second + y])


def _with_light(light: Tensor, colors: Tensor) -> Tensor:
    """Pixels [3,N] in 0..1 with that light and those colours, less saturated where they would leave 0..1."""
    first, second = colors
    green = light - _RED * first - _BLUE * second
    away = torch.stack([green + first, green, green + second]) - light
    room = torch.where(away > 0, 1 - light, light) / away.abs().clamp_min(1e-6)
    return (light + away * room.amin(0).clamp(0, 1)).clamp(0, 1)
