"""Calm grounds: where the photo is plain, a picture is no livelier than the calm places of the painting.

The network fills plain skies and walls with pieces of the painting. A guided filter (He, Sun & Tang 2013)
with the photo as its guide says what a picture would be there without them. What remains is kept as far as
the painting has the like in its own calm places: brush marks stay, stains go, and with them their edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .objective import Mixture

# Pixels. Detail finer than the first is grain; between the two are strokes and stains.
_FINE, _REACH = 2.5, 24

# Slope that the guided filter takes for an outline, in squared values of 0..1.
_OUTLINE = 1e-3

# The filter's coefficients are smooth, so a quarter of the pixels is enough for them (He & Sun 2015).
_REDUCED = 4

# A place is plain where the photo's light deviates less than this within so many pixels.
_PLAIN, _PLAIN_REACH = 0.03, 6

# The painting's calm places: shares of its area, by strokes and by grain.
_CALM_STROKES, _CALM_GRAIN = 0.12, 0.25

# Pixels. What is wider than this and not in the photo is a stain; it may be as strong as this share of the
# painting's strokes. Where it changes by so much a pixel, in values of 0..1 and in strokes, is its edge.
_STAIN, _STAIN_SHARE, _EDGE, _EDGE_STROKES = 5.0, 0.5, 0.004, 0.15

# An edge of a stain leaves this share of its grain, so that no line of plastic runs through the paint.
_EDGE_GRAIN = 0.3

# Stains go where the photo is plain as far as this: nearer to outlines the guided filter has a glow of its
# own, which the picture does not have.
_WIDE_PLAIN, _WIDE_REACH = 0.04, 14

# A level is measured within so many pixels. Smooth places have a little of both even so.
_LEVEL_REACH, _LEAST_STROKES, _LEAST_STAINS, _LEAST_GRAIN = 8, 0.004, 0.003, 0.002

# Grain is never reduced further than to this share: a ground of paint is not a wall of plastic.
_LEAST_SHARE = 0.35

# Of a painting's places, every fourth one down and across says enough about its calm ones.
_SAMPLED = 4

# Rows that are worked on at once, and how far a place sees: a large picture takes little memory.
_ROWS, _SEEN = 512, 96


class Calm(NamedTuple):
    """How lively the calm places of K regions' paintings are: [1 or B,K] each, deviations of values in 0..1.

    strokes: all that is wider than grain.
    """

    strokes: Tensor
    grain: Tensor


def calm_of(mixtures: Sequence[Mixture]) -> Calm:
    """The calm places of the paintings of each region."""
    regions = []
    for mixture in mixtures:
        levels = [_calm_places(painting) for painting in mixture.paintings]
        batch = max(level.shape[1] for level in levels)
        weighted = [w * level.expand(2, batch) for w, level in zip(mixture.weights, levels, strict=True)]
        regions.append(torch.stack(weighted).sum(0))
    batch = max(region.shape[1] for region in regions)
    return Calm(*torch.stack([region.expand(2, batch) for region in regions], 2))


def with_calm_grounds(
    picture: Tensor, photo: Tensor, calm: Calm, shares: Tensor | None = None, amount: Tensor | float = 1.0
) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with plain grounds as calm as `calm`.

    photo: [B,3,H,W] in 0..1, what was painted; its plain places decide. shares [1 or B,K,H,W] with sums 1, or
    None with one region. amount: 0 leaves the picture as it is, 1 is all of it; a number or [B].
    """
    parts = []
    for above, rows, below in strips(picture.shape[2]):
        part = (..., slice(above, below), slice(None))
        done = _calmed(picture[part], photo[part], calm, None if shares is None else shares[part], amount)
        parts.append(done[:, :, rows])
    return torch.cat(parts, 2)


def without_marks_on_plain_grounds(picture: Tensor, photo: Tensor, amount: float = 1.0) -> Tensor:
    """The picture [B,3,H,W] in 0..1 where the photo has texture, and what of it follows the photo elsewhere.

    photo: [B,3,H,W] in 0..1; amount: 0 leaves the picture as it is, 1 is all of it.
    """
    parts = []
    for above, rows, below in strips(picture.shape[2]):
        part = (..., slice(above, below), slice(None))
        smooth = _guided(blurred(photo[part], 1.0), picture[part])
        done = torch.lerp(picture[part], smooth, amount * plain_places(photo[part]))
        parts.append(done[:, :, rows].clamp(0, 1))
    return torch.cat(parts, 2)


def _calmed(
    picture: Tensor, photo: Tensor, calm: Calm, shares: Tensor | None, amount: Tensor | float
) -> Tensor:
    rules = picture.new_ones(1, 1, 1, 1) if shares is None else shares
    strokes, grain = ((level[:, :, None, None] * rules).sum(1, keepdim=True) for level in calm)
    # The picture in four parts: what follows the photo, stains, strokes, grain.
    middle = blurred(picture, _FINE)
    smooth = _guided(blurred(photo, 1.0), picture)
    stains = blurred(picture - smooth, _STAIN)
    marks, fine = middle - smooth - stains, picture - middle
    # Marks up to the painting's level stay, and stronger ones come down to it. Hardly anything stays of
    # stains and of what is fine at their edges.
    wide = plain_within(photo, _WIDE_REACH, _WIDE_PLAIN)
    edges = wide * _edges(stains, _EDGE + _EDGE_STROKES * strokes)
    stains = torch.lerp(stains, _down_to(_STAIN_SHARE * strokes + _LEAST_STAINS, stains), wide)
    marks = _down_to(strokes + _LEAST_STROKES, marks) * (1 - edges)
    fine = fine * ((grain + _LEAST_GRAIN) / _level(fine).clamp_min(1e-5)).clamp(_LEAST_SHARE, 1)
    fine = fine * torch.lerp(edges.new_ones(()), edges.new_tensor(_EDGE_GRAIN), edges)
    if isinstance(amount, Tensor):
        amount = amount.reshape(-1, 1, 1, 1)
    calmed = smooth + stains + marks + fine
    return (picture + amount * plain_places(photo) * (calmed - picture)).clamp(0, 1)


def _down_to(most: Tensor, detail: Tensor) -> Tensor:
    """Detail [B,3,H,W] whose level is at most `most` [B,1,H,W]; what is much weaker stays as it is."""
    found = _level(detail).clamp_min(1e-5)
    return detail * (most * torch.tanh(found / most) / found)


def _edges(stains: Tensor, steep: Tensor) -> Tensor:
    """Where stains [B,3,H,W] have edges, [B,1,H,W]: near 1 where they change by more than `steep` a pixel."""
    padded = F.pad(stains, (1, 1, 1, 1), mode="replicate")
    right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    slope = (right.square() + down.square()).mean(1, keepdim=True).sqrt()
    return 1 - torch.exp(-(blurred(slope, 1.5) / steep).square())


def _calm_places(painting: Tensor) -> Tensor:
    """Strokes and grain of the calm places of paintings [B,3,H,W], [2,B]."""
    levels = []
    for above, rows, below in strips(painting.shape[2]):
        part = painting[:, :, above:below]
        middle = blurred(part, _FINE)
        strokes = _level(middle - _guided(blurred(part, 1.0), part))
        found = torch.stack([strokes, _level(part - middle)])[..., rows, :]
        levels.append(found[..., ::_SAMPLED, ::_SAMPLED].flatten(2))
    shares = (_CALM_STROKES, _CALM_GRAIN)
    return torch.stack(
        [_quantile(level, share) for level, share in zip(torch.cat(levels, 2), shares, strict=True)]
    )


def strips(height: int) -> Iterator[tuple[int, slice, int]]:
    """Strips of a picture: for each the first row that it sees, its own rows counted from there, and the row
    after the last that it sees."""
    for top in range(0, height, _ROWS):
        above = max(0, top - _SEEN)
        yield above, slice(top - above, min(height, top + _ROWS) - above), min(height, top + _ROWS + _SEEN)


def plain_places(photo: Tensor) -> Tensor:
    """How plain each place of photos [B,3,H,W] in 0..1 is: [B,1,H,W], 1 for plain and 0 for texture."""
    return plain_within(photo, _PLAIN_REACH, _PLAIN)


def plain_within(photo: Tensor, reach: int, deviation: float) -> Tensor:
    """Near 1 where the photo's light deviates less than `deviation` within `reach` pixels: [B,1,H,W]."""
    light = photo.mean(1, keepdim=True)
    variance = (_mean(light.square(), reach) - _mean(light, reach).square()).clamp_min(0)
    return blurred(torch.exp(-variance / deviation**2), reach / 2)


def _level(detail: Tensor) -> Tensor:
    """The deviation around each place, [B,1,H,W]."""
    return _mean(detail.square().mean(1, keepdim=True), _LEVEL_REACH).clamp_min(0).sqrt()


def _guided(guide: Tensor, picture: Tensor) -> Tensor:
    """The guided filter with a guide in colour: `picture` [B,3,H,W] as a local linear function of `guide`."""
    # Whole cells, so that a part of a picture has the cells that the whole has there.
    height, width = guide.shape[-2:]
    cells = (0, -width % _REDUCED, 0, -height % _REDUCED)
    low, wanted = (F.avg_pool2d(F.pad(each, cells, mode="replicate"), _REDUCED) for each in (guide, picture))
    reach = _REACH // _REDUCED
    mean, mean_wanted = _mean(low, reach), _mean(wanted, reach)
    # Covariances within each window: of the guide's colours [B,h,w,3,3], and with the picture's [B,h,w,3,3].
    own = _mean(_products(low, low), reach) - _products(mean, mean)
    cross = _mean(_products(low, wanted), reach) - _products(mean, mean_wanted)
    steep = _OUTLINE * torch.eye(3, dtype=low.dtype, device=low.device)
    slopes = _inverse(_matrices(own) + steep) @ _matrices(cross)
    base = mean_wanted - torch.einsum("bhwcp,bchw->bphw", slopes, mean)
    slopes = slopes.flatten(3).permute(0, 3, 1, 2)
    slopes, base = (
        F.interpolate(_mean(each, reach), scale_factor=_REDUCED, mode="bilinear")[..., :height, :width]
        for each in (slopes, base)
    )
    found: Tensor = torch.einsum("bcphw,bchw->bphw", slopes.unflatten(1, (3, 3)), guide) + base
    return found


def _products(first: Tensor, second: Tensor) -> Tensor:
    """Products of all colours of the first with all of the second, [B,9,H,W]."""
    return (first[:, :, None] * second[:, None]).flatten(1, 2)


def _matrices(products: Tensor) -> Tensor:
    """Products [B,9,H,W] as a matrix for each place, [B,H,W,3,3]."""
    matrices: Tensor = products.unflatten(1, (3, 3)).permute(0, 3, 4, 1, 2)
    return matrices


def _inverse(matrices: Tensor) -> Tensor:
    """Inverses of matrices [...,3,3] by Cramer's rule: a step for all of them, where some devices' solvers
    take one matrix after the other."""
    a, b, c = matrices.unbind(-2)
    columns = [torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)]
    inverses: Tensor = torch.stack(columns, -1) / (a * columns[0]).sum(-1)[..., None, None]
    return inverses


def _mean(image: Tensor, reach: int) -> Tensor:
    """The mean within `reach` pixels; borders are repeated."""
    padded = F.pad(image, (reach, reach, reach, reach), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, (1, 2 * reach + 1), 1), (2 * reach + 1, 1), 1)


def blurred(image: Tensor, sigma: float) -> Tensor:
    """A Gaussian blur; borders are repeated."""
    reach, channels = math.ceil(3 * sigma), image.shape[1]
    place = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-place.square() / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(channels, 1, -1)
    padded = F.pad(image, (reach, reach, reach, reach), mode="replicate")
    across = F.conv2d(padded, kernel[:, :, None], groups=channels)
    return F.conv2d(across, kernel[:, :, :, None], groups=channels)


def _quantile(levels: Tensor, share: float) -> Tensor:
    """The level below which that share of the places lies, [B]. `torch.quantile` has a limit of size."""
    place = min(levels.shape[1], 1 + round(share * (levels.shape[1] - 1)))
    return levels.kthvalue(place, dim=1).values
