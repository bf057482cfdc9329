"""Several styles in one picture: masks say which rules where, and the generator paints in one pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base.excerpt import value_excerpt
from ..pictures.values import checked_mask
from .batches import entry, match_batch
from .codes import checked_code, lerp
from .content_encoder import CONTENT_STRIDES, ContentCode, ContentEncoder
from .devices import own_defaults
from .generator import Generator, SharesByMap
from .grid import grid_corner
from .layer_statistics import LayerStatistics, own_statistics
from .noise import Noise
from .passes import Frozen
from .region_statistics import OfVisible, RegionStatistics
from .shares import Shares

# Shares this close to 0 or 1 are rounding errors; one style alone must paint as if there were no masks.
_SNAP = 1e-5

# In pixels; a wider one takes memory and softens no edge.
_WIDEST_FEATHER = 65536

# Pixels of the small copy.
_LEAST_COPY, _LARGEST_COPY = 192**2, 512**2


@dataclass(frozen=True, eq=False)
class StyleRegion:
    """A style, and where it covers the styles beneath it: code [B,L,D], mask [M,h,w] in 0..1."""

    code: Tensor
    mask: Tensor

    def picture(self, i: int) -> StyleRegion:
        """What picture i of a batch gets; a batch of one is for all pictures."""
        return StyleRegion(entry(self.code, i), entry(self.mask, i))

    def to(self, device: torch.device | str) -> StyleRegion:
        return StyleRegion(self.code.to(device), self.mask.to(device))

    def checked(self, dtype: torch.dtype) -> StyleRegion:
        """In 0..1 and of that type. Raises ValueError, one sentence, if mask or code cannot be used."""
        code = checked_code(self.code, "The style code of a mask")
        return StyleRegion(code.to(dtype), checked_mask(self.mask, "The mask").to(dtype))

    def weakened(self, own: Tensor, strength: float) -> StyleRegion:
        """With a code between the photo's `own` and the region's: lerp(own, code, strength)."""
        return StyleRegion(lerp(own, self.code, strength), self.mask)


def paired_batch(pictures: int, code: Tensor, regions: Sequence[StyleRegion], what: str) -> int:
    """How many paintings `pictures` pictures and styles make: the `code` [B,L,D] and the `regions` over it.

    One style paints all pictures, one picture is painted in all styles, or as many of both go in pairs. The
    same is true of masks. Raises ValueError, one sentence that begins with `what`, if their numbers do not
    match.
    """
    sizes = [size for region in regions for size in (len(region.code), len(region.mask))]
    return match_batch(pictures, len(code), *sizes, what=what)


@own_defaults()
def feather_mask(mask: Tensor, feather: float) -> Tensor:
    """Soften a mask [M,h,w]: its edges become ramps about `feather` pixels wide, 0 leaves it.

    The ramp is a Gaussian of deviation feather / 4, so 95 % of it lie within `feather`. Beyond the frame,
    the mask goes on as at its border. Raises ValueError for a feather that is negative or not finite, and
    for a mask as `checked_mask` does.

    >>> feather_mask(torch.tensor([[[0.0, 0.0, 1.0, 1.0]]]), 4)[0, 0].mul(100).round().tolist()
    [6.0, 30.0, 70.0, 94.0]
    """
    mask = checked_mask(mask, "The mask")
    if not isinstance(feather, int | float) or isinstance(feather, bool) or not 0 <= feather < math.inf:
        raise ValueError(f"feather is {value_excerpt(feather)}; give a number of pixels, 0 or more.")
    if feather > _WIDEST_FEATHER:
        raise ValueError(f"feather is {value_excerpt(feather)}; give {_WIDEST_FEATHER} pixels or less.")
    feather = float(feather)
    if feather == 0:
        return mask
    sigma = feather / 4
    radius = math.ceil(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=mask.dtype, device=mask.device)
    kernel = torch.exp(-0.5 * (offsets / sigma).square())
    kernel = (kernel / kernel.sum())[None, None]
    soft = mask[:, None]
    soft = F.conv2d(F.pad(soft, (radius, radius, 0, 0), mode="replicate"), kernel[:, :, None])
    soft = F.conv2d(F.pad(soft, (0, 0, radius, radius), mode="replicate"), kernel[..., None])
    return soft[:, 0].clamp(0, 1)


def region_shares(
    masks: Sequence[Tensor],
    size: tuple[int, int],
    cells: tuple[int, int],
    stride: int,
    corner: tuple[int, int] = (0, 0),
) -> Tensor:
    """How much each of K + 1 styles rules in every cell, [rows,columns,K + 1], sums 1.

    The K `masks`, [1,h,w] each, are stretched to the picture's `size` and averaged over the `cells`: the
    rows and columns of a feature map. Its cells are `stride` pixels wide, and it covers the picture and a
    border, `corner` pixels above and at the left. The masks lie on each other in their order, as
    layers of a painting program do. The first share is the background's. With m_k the mask of layer k,
    share k = m_k * product over the later layers j of (1 - m_j).

    >>> left, all = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.25, 0.25]]])
    >>> region_shares([left, all], (1, 2), (1, 2), 1).tolist()
    [[[0.0, 0.75, 0.25], [0.75, 0.0, 0.25]]]
    """
    layers = []
    for mask in masks:
        mask = mask[:, None]
        if mask.shape[-2:] != size:
            mask = F.interpolate(mask, size, mode="bilinear", antialias=True, align_corners=False)
        top, left = corner
        right, bottom = cells[1] * stride - size[1] - left, cells[0] * stride - size[0] - top
        mask = F.pad(mask, (left, right, top, bottom), mode="replicate")
        mask = F.avg_pool2d(mask, stride)[0, 0]
        mask = torch.where(mask > 1 - _SNAP, torch.ones_like(mask), mask)
        layers.append(torch.where(mask < _SNAP, torch.zeros_like(mask), mask))
    shares = [torch.ones_like(layers[0])]
    for mask in layers:
        shares = [share * (1 - mask) for share in shares] + [mask]
    return torch.stack(shares, -1)


class VisibleStyles(NamedTuple):
    """The styles that can be seen in one picture: their codes [S,L,D], which of K + 1 they are [K + 1], and
    their shares in the picture's maps, none for a single style."""

    codes: Tensor
    visible: Tensor
    shares: SharesByMap


def paint_regions(
    encoder: ContentEncoder,
    generator: Generator,
    content: ContentCode,
    code: Tensor,
    regions: Sequence[StyleRegion],
    how: Frozen,
    noise: Noise,
) -> Tensor:
    """`content` of B pictures in the style `code` [B,L,D] and, over it, `regions`: [B,3,H',W'].

    One pass per picture, with its own part of `noise`. Each style has the statistics of the whole picture in
    this style (`RegionStatistics`), or else those of `how`: for the K + 1 styles, or for any.
    """
    painted = []
    for i in range(content.batch):
        picture, over = content.picture(i), [region.picture(i) for region in regions]
        styles = visible_styles(entry(code, i), over, picture.size, picture.corner, picture.cells)
        statistics: LayerStatistics = how.statistics
        if statistics is not own_statistics:
            statistics = OfVisible(statistics, styles.visible)
        elif styles.shares:
            statistics = statistics_of_regions(
                encoder, generator, small_copy(picture.image), styles, over, noise.picture(i)
            )
        painted.append(generator(picture, styles.codes, Frozen(statistics), noise.picture(i), styles.shares))
    return torch.cat(painted)


def copy_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size (H, W) of the small copy from which regions take what they cannot see: a picture's 16th part,
    but 256 x 256 pixels at least, or the whole, and 512 x 512 at most.

    >>> copy_size((128, 200)), copy_size((1024, 1024)), copy_size((4096, 4096))
    ((128, 200), (256, 256), (512, 512))
    """
    pixels = size[0] * size[1]
    scale = math.sqrt(min(max(pixels / 16, _LEAST_COPY), _LARGEST_COPY) / pixels)
    return size if scale >= 1 else (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))


def small_copy(image: Tensor) -> Tensor:
    """[1,3,H,W] -> [1,3,h,w] of `copy_size`."""
    size = copy_size((image.shape[-2], image.shape[-1]))
    if size == image.shape[-2:]:
        return image
    return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)


def statistics_of_regions(
    encoder: ContentEncoder,
    generator: Generator,
    copy: Tensor,
    styles: VisibleStyles,
    regions: Sequence[StyleRegion],
    noise: Noise,
) -> RegionStatistics:
    """Those of one picture whose small copy is `copy` [1,3,h,w], with all its `regions`."""
    content = encoder(copy, Frozen(), grid_corner(copy))
    shares = _shares_of_all(regions, content.size, content.corner, content.cells)
    of_visible = {name: Shares(each[..., styles.visible].to(copy.device)) for name, each in shares.items()}
    return RegionStatistics.from_copy(generator, content, styles.codes, noise, of_visible, styles.shares)


def visible_styles(
    code: Tensor,
    regions: Sequence[StyleRegion],
    size: tuple[int, int],
    corner: Tensor,
    cells: Mapping[str, tuple[int, int]],
) -> VisibleStyles:
    """The styles that can be seen in one picture of `size` (H, W).

    `code` [1,L,D] lies under the `regions`. The maps have this many `cells` (rows, columns), by name, and
    begin `corner` [1,2] pixels above the picture and left of it. A single style has no shares: then it paints
    the same bits as alone, and hidden styles cost nothing.
    """
    if not regions:
        return VisibleStyles(code, torch.ones(1, dtype=torch.bool), {})
    values = _shares_of_all(regions, size, corner, cells)
    visible = values["fine"].amax((0, 1)) > 0
    codes = torch.cat([code, *(region.code for region in regions)])[visible.to(code.device)]
    shares = {} if len(codes) == 1 else {name: Shares(each[..., visible]) for name, each in values.items()}
    return VisibleStyles(codes, visible, shares)


def _shares_of_all(
    regions: Sequence[StyleRegion],
    size: tuple[int, int],
    corner: Tensor,
    cells: Mapping[str, tuple[int, int]],
) -> dict[str, Tensor]:
    """The shares of K + 1 styles in the cells of each map of one picture, [rows,columns,K + 1]."""
    stride = CONTENT_STRIDES["fine"]
    top, left = corner[0].tolist()
    in_cells = region_shares([region.mask for region in regions], size, cells["fine"], stride, (top, left))
    # Larger cells take the mean of the shares and not of the masks: a style that is hidden everywhere has
    # no share in a cell that the edges of two masks cross.
    return {
        name: pooled_shares(in_cells, CONTENT_STRIDES[name] // stride, each) for name, each in cells.items()
    }


def pooled_shares(shares: Tensor, side: int, cells: Sequence[int]) -> Tensor:
    """[rows,columns,S] -> the means in squares of `side` cells, as many as `cells` (H, W) says: [H,W,S].

    Squares that hang over at the right and the bottom take the shares at the edge there.
    """
    rows, columns = (cells[axis] * side - shares.shape[axis] for axis in (0, 1))
    padded = F.pad(shares.permute(2, 0, 1)[None], (0, columns, 0, rows), mode="replicate")
    return F.avg_pool2d(padded, side)[0].permute(1, 2, 0)
