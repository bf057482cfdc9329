"""What comes back of the first picture where every place took after a place of the paintings.

Where the paintings have nothing like a place, small things go: eyes, letters, faces in a crowd. Their nearest
places also part smooth shades into two colours with an edge between, turn what is dark to black, and are
paler together than each alone. So the first picture comes back where it is like nothing in the paintings; and
elsewhere its fine detail where it was lost, its contrast, and its light, dark and colours in masses. What
lies between, the strokes, is the paintings'.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..pictures.color import luma
from .calm_grounds import blurred, plain_places, strips
from .places import PLACE

# Pixels. Detail is what is finer, and whether it was lost is seen within so many pixels.
_FINE = 3.0

# How much of the first picture's detail comes back everywhere, and where it was lost. The picture's own goes
# so far that both together are as strong as one: lines get crisp, and canvas stays.
_EVERYWHERE, _LOST = 0.5, 0.9

# On plain grounds, this share of the detail that comes back everywhere.
_FINE_ON_PLAIN = 0.5

# The picture's own detail has at most so many times the energy of the first one's and a little grain; more
# would be sand. In pixels, how softly that changes.
_LIVELIEST, _LEAST_GRAIN, _GRAIN_SOFT = 1.3, 2e-5, 2.0

# Pixels: contrast is compared between each two of these. What is finer than the first is grain.
_BANDS = (1.2, 3.5, 10.0)

# Contrast grows by this factor at most, or a mesh of the finest strokes would be seen. On plain grounds it
# grows by a share of that.
_MOST, _GROWS_ON_PLAIN = 1.5, 0.3

# Masses are what is wider than so many pixels of a picture with this mean side; of larger pictures, more.
_MASS, _MASS_SIDE = 8.0, 512

# How much of the masses comes back at an amount of 1: of light and dark on plain grounds, of them elsewhere,
# and of colours, without which pictures become brown.
_PLAIN, _LIGHT, _COLORS = 0.8, 0.5, 1.2

# A place is like no place of the paintings below the first cosine, and like one above the second. So much of
# the first picture takes the former's place, with a soft edge of so many places.
_UNLIKE, _LIKE, _RETURNS, _EDGE = 0.70, 0.82, 0.85, 1.6

# Pixels of a picture with the mean side of `_MASS_SIDE`: marks are between the first two, and how strong they
# are is seen within so many. They count as new above this energy beyond the first picture's, and so much of
# them goes.
_MARKS, _MARKS_REACH, _MARKS_SOFT, _NEW, _GOES = (2.0, 10.0), 5.0, 3.0, 5e-5, 0.9

_FAINTEST = 1e-8


def with_first_detail(picture: Tensor, first: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with `first`'s fine detail beside its own, and most where it was lost.

    first, photo: [B,3,H,W] in 0..1. It was lost where `first` has more contrast than the picture, and the
    photo, too: grain of `first` is no loss. amount: 0 leaves all as it is, 1 is half of the detail, and nine
    tenths where it was lost; from 2 on it is all, in place of the picture's own. Where the
    picture is much livelier than `first`, its own detail is grain and becomes weaker.
    """
    # The photo's contrast, as strong as the first picture's.
    strength = _variance(first) / _variance(photo).clamp_min(_FAINTEST)
    parts = []
    for above, rows, below in strips(picture.shape[2]):
        part = (..., slice(above, below), slice(None))
        own, firsts, photos = (_energy(each[part]) for each in (picture, first, photo))
        there = torch.minimum(firsts, strength * photos)
        lost = ((there - own) / (there + 1e-5)).clamp(0, 1)
        everywhere = _EVERYWHERE * (1 - (1 - _FINE_ON_PLAIN) * plain_places(photo[part]))
        share = (amount * (everywhere + (_LOST - _EVERYWHERE) * lost)).clamp(max=1)
        stays = (_LIVELIEST * (firsts + _LEAST_GRAIN) / (own + _FAINTEST)).clamp(max=1).sqrt()
        stays = 1 - min(1.0, amount) * (1 - blurred(stays, _GRAIN_SOFT))
        own, firsts = (each[part] - blurred(each[part], _FINE) for each in (picture, first))
        change = share * firsts + (stays * (1 - share.square()).sqrt() - 1) * own
        parts.append((picture[part] + change)[:, :, rows].clamp_(0, 1))
    return torch.cat(parts, 2)


def with_first_contrast(
    picture: Tensor, first: Tensor, photo: Tensor, shares: Tensor | None = None
) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with contrast as strong as `first`'s, narrow and wide; never weaker.

    first, photo: [B,3,H,W] in 0..1; plain places of the photo count less. shares [1 or B,K,H,W] with sums 1
    for regions, each with its own contrast, or None with one region.
    """
    parts = []
    # Sums over the picture, [B,K,2 bands].
    own, firsts = picture.new_zeros(()), picture.new_zeros(())
    height = picture.shape[2]
    for above, rows, below in strips(height):
        part = (..., slice(above, below), slice(None))
        rules = (1 - plain_places(photo[part])) * (1.0 if shares is None else shares[part])
        own, firsts = (
            total + _contrast(each[part], rules, rows) for total, each in ((own, picture), (firsts, first))
        )
    gains = (firsts / own.clamp_min(_FAINTEST)).sqrt().clamp(1, _MOST)
    for above, rows, below in strips(height):
        part = (..., slice(above, below), slice(None))
        grows = 1 - (1 - _GROWS_ON_PLAIN) * plain_places(photo[part])
        done = picture[part]
        for k, band in enumerate(_bands(done)):
            gain = gains[..., k, None, None]
            gain = gain if shares is None else (gain * shares[part]).sum(1, keepdim=True)
            done = done + (gain - 1) * grows * band
        parts.append(done[:, :, rows].clamp_(0, 1))
    return torch.cat(parts, 2)


def with_first_masses(picture: Tensor, first: Tensor, photo: Tensor, amount: float) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with light, dark and colours of `first` in masses.

    first, photo: [B,3,H,W] in 0..1; colours come back most, and light on plain grounds more than elsewhere.
    amount: 0 leaves all as it is, 2 is all of it everywhere.
    """
    height, width = picture.shape[-2:]
    low = _enlarged(blurred(_reduced(first - picture), _MASS), height, width)
    parts = []
    for above, rows, below in strips(height):
        part = (..., slice(above, below), slice(None))
        light, plain = luma(low[part]), plain_places(photo[part])
        of_light = (amount * (_LIGHT + (_PLAIN - _LIGHT) * plain)).clamp(max=1)
        change = of_light * light + min(1.0, amount * _COLORS) * (low[part] - light)
        parts.append((picture[part] + change)[:, :, rows].clamp_(0, 1))
    return torch.cat(parts, 2)


def without_new_marks(picture: Tensor, first: Tensor, amount: float) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with `first`'s marks where its own are stronger.

    Such are blotches in smooth shades, pieces of a painting in a sky, and rims of light. first: [B,3,H,W] in
    0..1. amount: 0 leaves all as it is, 1 is nine tenths.
    """
    own, firsts = (_marks(_reduced(each)) for each in (picture, first))
    energy, known = (blurred(marks.square().mean(1, keepdim=True), _MARKS_REACH) for marks in (own, firsts))
    new = ((energy - known - _NEW) / (energy + _FAINTEST)).clamp(0, 1)
    change = _GOES * amount * blurred(new, _MARKS_SOFT) * (firsts - own)
    return (picture + _enlarged(change, *picture.shape[-2:])).clamp_(0, 1)


def with_first_where_unlike(
    picture: Tensor, first: Tensor, likeness: Tensor, seen: tuple[int, int], amount: float
) -> Tensor:
    """The picture [B,3,H,W] in 0..1 with `first` [B,3,H,W] in place of what is like nothing in the paintings.

    likeness [B,1,h,w]: that of the places of `first` to the paintings, cosines; seen: height and width of
    `first` when it was compared. amount: 0 leaves all as it is, 1 is most of it.
    """
    unlike = ((_LIKE - likeness) / (_LIKE - _UNLIKE)).clamp(0, 1)
    share = (_RETURNS * amount * blurred(unlike, _EDGE)).clamp(max=1)
    # The last places may be parts.
    share = F.interpolate(share, scale_factor=PLACE, mode="bilinear")[..., : seen[0], : seen[1]]
    return torch.lerp(picture, first, F.interpolate(share, picture.shape[-2:], mode="bilinear"))


def _times(height: int, width: int) -> int:
    """How many times smaller the picture is in which masses and marks are found."""
    return max(1, round(math.sqrt(height * width) / _MASS_SIDE))


def _reduced(picture: Tensor) -> Tensor:
    """As large as pictures whose masses and marks are measured; the last cells are parts."""
    height, width = picture.shape[-2:]
    times = _times(height, width)
    return F.avg_pool2d(F.pad(picture, (0, -width % times, 0, -height % times), mode="replicate"), times)


def _enlarged(picture: Tensor, height: int, width: int) -> Tensor:
    """Back to the size before `_reduced`."""
    times = _times(height, width)
    return F.interpolate(picture, scale_factor=times, mode="bilinear")[..., :height, :width]


def _marks(picture: Tensor) -> Tensor:
    """What is between detail and masses."""
    finest, widest = _MARKS
    return blurred(picture, finest) - blurred(picture, widest)


def _variance(picture: Tensor) -> Tensor:
    """Of light and dark, [B,1,1,1]."""
    return luma(picture).var((2, 3), correction=0, keepdim=True)


def _energy(picture: Tensor) -> Tensor:
    """The mean square of fine light and dark around each place, [B,1,H,W]."""
    light = luma(picture)
    return blurred((light - blurred(light, _FINE)).square(), _FINE)


def _bands(picture: Tensor) -> list[Tensor]:
    """What each blur but the first takes away."""
    bands = []
    wider = blurred(picture, _BANDS[0])
    for width in _BANDS[1:]:
        narrow, wider = wider, blurred(wider, width)
        bands.append(narrow - wider)
    return bands


def _contrast(picture: Tensor, rules: Tensor, rows: slice) -> Tensor:
    """The sum over `rows` of squared light and dark in each band, by `rules` [B,K,H,W]: [B,K,2]."""
    bands = _bands(luma(picture))
    return torch.stack([(band.square() * rules)[:, :, rows].sum((2, 3)) for band in bands], 2)
