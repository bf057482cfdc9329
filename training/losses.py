"""Losses that only training needs, as free functions; each returns a scalar tensor.

Content, Gram and mean/std losses are in `models/perception/feature_losses.py`, the losses on pixels (ground,
tv, range) in `models/perception/pixel_losses.py`.

Formulas use F_l for the features of a loss-network layer l in `STYLE_LAYERS`, x for the output, s for
the painting, c for the photo, mu and sigma for channel mean and deviation over space. Style losses
are relative (divided by the painting's own energy in that layer): relu1_1 and relu4_1 differ by orders of
magnitude otherwise. Every layer counts alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..base.excerpt import value_excerpt
from ..base.settings import check_choice, is_whole
from ..models.grid import GRID
from ..models.normalization import wide
from ..models.perception.feature_losses import gram_loss, mean_std_loss, relative_error
from ..models.perception.statistics import SIZES, StyleStatistics, color_moments
from ..models.perception.vgg import STYLE_LAYERS
from .options import ADVERSARIAL_LOSSES, LossWeights

Parts = dict[str, Tensor]
"""Losses, scalar tensors, by name."""

# The window of the grid loss: large enough that strokes average out, small enough for one kind of place.
_WINDOW_CELLS = 8


def energy_loss(moments: dict[str, Tensor], target: dict[str, Tensor]) -> Tensor:
    """1/4 sum_l |m_l(x) / m_l(s) - 1|, m_l the mean activation of the layer over channels and space.

    It measures how much contrast and grain there is, whatever they show. Squared losses shrink: where x
    cannot have all of s, a little less of everything has the smallest loss, and a picture becomes tamer
    than art. The absolute error of one number per layer has no such bias. The arguments are those of
    `mean_std_loss`.
    """
    errors = []
    for name in STYLE_LAYERS:
        found, wanted = (wide(each[name][:, 0]).mean(1) for each in (moments, target))
        errors.append((found / wanted.clamp_min(1e-8) - 1).abs().mean())
    return torch.stack(errors).mean()


def style_losses(
    found: Mapping[str, StyleStatistics], target: Mapping[str, StyleStatistics], shares: Sequence[float]
) -> tuple[Parts, Parts]:
    """`gram`, `mean_std` and `energy`, sums over the sizes of the picture, each times its share; and beside
    them, without gradients, the Gram loss of each size: `gram_whole`, `gram_half`, `gram_quarter`.

    found and target hold the statistics by the name of the size (`SIZES`), and shares are in the order of
    `SIZES`. Strokes are larger than what the loss network sees in a whole picture; at a quarter of the size
    it sees them.
    """
    sums: Parts = {}
    by_size: Parts = {}
    for name, share in zip(SIZES, shares, strict=True):
        if name not in found:
            continue
        (grams, moments), (target_grams, target_moments) = found[name], target[name]
        losses = {
            "gram": gram_loss(grams, target_grams),
            "mean_std": mean_std_loss(moments, target_moments),
            "energy": energy_loss(moments, target_moments),
        }
        by_size[f"gram_{name}"] = losses["gram"].detach()
        add_parts(sums, {each: loss * share for each, loss in losses.items()})
    return sums, by_size


def color_loss(image: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
    """|m(x) - m(s)|^2 / |m(s)|^2 + |C(x) - C(s)|^2 / |C(s)|^2, m the mean colour, C the 3x3 covariance.

    image [B,3,H,W] in 0..1; target: the paintings' `color_moments`. The covariance says how colours go
    together, which deviations of the channels do not. Mean and covariance have a term each, because the
    mean would outweigh the rest. A fixed 1e-5 beside |C(s)|^2 keeps the loss of single-coloured paintings
    from exploding.
    """
    (mean, covariance), (mean_s, covariance_s) = color_moments(image), target
    error = (covariance - covariance_s).square().flatten(1).sum(1)
    size = covariance_s.square().flatten(1).sum(1) + 1e-5
    return relative_error(mean, mean_s) + (error / size).mean()


def identity_loss(image: Tensor, original: Tensor) -> Tensor:
    """mean |x - s|: a painting painted in its own style comes back."""
    return (image - original).abs().mean()


def steady_loss(image: Tensor, again: Tensor, margin: int) -> Tensor:
    """mean |x - x'| without `margin` pixels at the border.

    x' is painted with the networks' pixel grid at another place, then aligned with x. The loss asks for
    equivariance to shifts, which strided networks do not have by themselves (Zhang 2019). Pictures
    [B,3,H,W] of more than 2 margin pixels a side; ValueError for smaller ones.
    """
    return _difference(image, again, margin, 1).abs().mean()


def grid_loss(image: Tensor, again: Tensor, margin: int) -> Tensor:
    """log(1 + e), e the strength of patterns that repeat in every cell of the grid, in squared levels of 255.

    The pictures are those of `steady_loss`: strokes are the same in both, such patterns lie elsewhere. The
    mean cell of their difference keeps what repeats, and what does not averages out. It is taken in windows
    of 8 x 8 cells, since dark and bright places have patterns of their own, and a window is as good at any
    place of the grid. An untrained network has patterns of ten levels and more, and the logarithm leaves
    room for what else it has to learn. Pictures [B,3,H,W], of a cell or more inside `margin` pixels at the
    border; ValueError for smaller ones.
    """
    difference = _difference(image, again, margin, GRID) * 255
    window = GRID * min(_WINDOW_CELLS, min(difference.shape[-2:]) // GRID)
    windows = difference.unfold(2, window, window).unfold(3, window, window)
    cells: Tensor = windows.unflatten(-1, (-1, GRID)).unflatten(-3, (-1, GRID))
    mean_cell = cells.mean((-4, -2))
    energy = (mean_cell - mean_cell.mean((-2, -1), keepdim=True)).square().mean((-2, -1))
    return torch.log1p(energy).mean()


def _difference(image: Tensor, again: Tensor, margin: int, least: int) -> Tensor:
    """image - again without `margin` pixels at the border. Raises ValueError if fewer than `least` pixels a
    side are left."""
    height, width = image.shape[-2:]
    if not is_whole(margin) or margin < 0 or min(height, width) < 2 * margin + least:
        raise ValueError(
            f"margin is {value_excerpt(margin)} for pictures of {width} x {height} pixels; give 0 or more "
            f"that leaves {least} x {least} pixels inside."
        )
    inner = (..., slice(margin, height - margin), slice(margin, width - margin))
    return image[inner] - again[inner]


def code_loss(found: Tensor, code: Tensor, first: int = 0, temperature: float = 0.1) -> Tensor:
    """The encoder finds the style again: InfoNCE over the batch (compare IEContraAST 2021).

    code [N,L,D]: the codes that the batch was painted with; found [B,L,D]: the codes of the outputs
    `first` to `first + B`, all of them or those of one process.
    -mean_i log softmax_j(cos(found_i, code_j) / t)_i. Cosines are averaged over the layers, after the
    batch's mean code is subtracted, since all codes share most of their length. 0 for a batch of one.
    """
    if len(code) < 2:
        return found.sum() * 0
    center = code.mean(0, keepdim=True)
    found = F.normalize(found - center, dim=-1)
    code = F.normalize(code - center, dim=-1)
    similarity = torch.einsum("ild,jld->ij", found, code) / code.shape[1]
    own = torch.arange(first, first + len(found), device=code.device)
    return F.cross_entropy(similarity / temperature, own)


def real_loss(real: Sequence[Tensor], kind: str = "least_squares") -> Tensor:
    """D's loss on its patch logits of paintings, at several scales, averaged over the scales.

    least_squares (LSGAN 2017): mean((D(s) - 1)^2)
    cross_entropy (Goodfellow 2014): mean(softplus(-D(s)))
    hinge (Lim & Ye 2017): mean(max(0, 1 - D(s)))
    """
    formulas: dict[str, Callable[[Tensor], Tensor]] = {
        "least_squares": lambda d: (d - 1).square().mean(),
        "cross_entropy": lambda d: F.softplus(-d).mean(),
        "hinge": lambda d: F.relu(1 - d).mean(),
    }
    return _mean_over_scales(formulas, kind, real)


def fake_loss(fake: Sequence[Tensor], kind: str = "least_squares") -> Tensor:
    """D's loss on its patch logits of painted pictures, to be added to `real_loss`.

    least_squares: mean(D(x)^2); cross_entropy: mean(softplus(D(x))); hinge: mean(max(0, 1 + D(x))).
    """
    formulas: dict[str, Callable[[Tensor], Tensor]] = {
        "least_squares": lambda d: d.square().mean(),
        "cross_entropy": lambda d: F.softplus(d).mean(),
        "hinge": lambda d: F.relu(1 + d).mean(),
    }
    return _mean_over_scales(formulas, kind, fake)


def adversarial_loss(fake: Sequence[Tensor], kind: str = "least_squares") -> Tensor:
    """G's loss on D's patch logits of painted pictures, averaged over the scales.

    least_squares: mean((D(x) - 1)^2); cross_entropy, non-saturating: mean(softplus(-D(x)));
    hinge: -mean(D(x)).
    """
    formulas: dict[str, Callable[[Tensor], Tensor]] = {
        "least_squares": lambda d: (d - 1).square().mean(),
        "cross_entropy": lambda d: F.softplus(-d).mean(),
        "hinge": lambda d: -d.mean(),
    }
    return _mean_over_scales(formulas, kind, fake)


def _mean_over_scales(
    formulas: Mapping[str, Callable[[Tensor], Tensor]], kind: str, scales: Sequence[Tensor]
) -> Tensor:
    check_choice("adversarial loss", kind, ADVERSARIAL_LOSSES)
    first, *others = (formulas[kind](logits) for logits in scales)
    return sum(others, first) / len(scales)


def add_parts(sums: Parts, parts: Mapping[str, Tensor]) -> None:
    """sums[name] += parts[name], with absent ones as 0."""
    for name, value in parts.items():
        sums[name] = sums[name] + value if name in sums else value


def total_loss(parts: Parts, weights: LossWeights) -> Tensor:
    """The sum over the parts of weight x part.

    Raises ValueError for a name that `LossWeights.factor` does not know.
    """
    first, *others = (weights.factor(name) * part for name, part in parts.items())
    return sum(others, first)
