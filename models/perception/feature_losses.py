"""Losses on features: how far two pictures are apart in what the loss network sees.

Formulas use F_l for the features of a layer l in `STYLE_LAYERS`, x for the output, s for the painting, c for
the photo, mu and sigma for channel mean and deviation over space. Style losses are relative (divided by the
painting's own energy in that layer): relu1_1 and relu4_1 differ by orders of magnitude otherwise. The losses
on pixels are in `pixel_losses`, those that only training needs in `training/losses.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ..normalization import wide
from .statistics import normalized
from .vgg import STYLE_LAYERS


def relative_error(found: Tensor, target: Tensor) -> Tensor:
    """|found - target|^2 / |target|^2 per sample, averaged over the batch."""
    target = wide(target)
    error = (found - target).square().flatten(1).sum(1)
    return (error / target.square().flatten(1).sum(1).clamp_min(1e-8)).mean()


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """mean((n(F(x)) - n(F(c)))^2) on relu4_1, n the instance normalisation; `target` is n(F(c)).

    Normalised, so that the style decides light and contrast. 0 is the photo, about 2 is unrelated.
    """
    return (normalized(features) - target).square().mean()


def gram_loss(grams: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
    """1/4 sum_l |G(F_l(x)) - G(F_l(s))|^2 / |G(F_l(s))|^2 (Gatys 2016).

    Both arguments hold the Gram matrix [B,C,C] of every layer in `STYLE_LAYERS`.
    """
    return _mean_over_layers(grams, target)


def mean_std_loss(moments: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
    """1/4 sum_l (|mu(x) - mu(s)|^2 + |sigma(x) - sigma(s)|^2) / (|mu(s)|^2 + |sigma(s)|^2).

    AdaIN's style loss (2017), equation 13, made relative; both arguments hold the `mean_std` of every
    layer in `STYLE_LAYERS`.
    """
    return _mean_over_layers(moments, target)


def _mean_over_layers(found: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
    first, *others = (relative_error(found[name], target[name]) for name in STYLE_LAYERS)
    return sum(others, first) / len(STYLE_LAYERS)
