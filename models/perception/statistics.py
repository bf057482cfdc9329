"""Statistics of loss-network features: Gram matrices, means and deviations, at several sizes.

`feature_losses` says how far two pictures are apart in them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..normalization import wide
from .vgg import STYLE_LAYERS, LossNetwork


class _GramAndMean(torch.autograd.Function):
    """rows [B,N,C] -> X^T X / N [B,C,C] and the mean row [B,C], with one matrix product backward.

    d/dX = X (dG + dG^T) / N + dm / N. Autograd's own takes more passes over the largest
    tensors of a training step (docs/history.md).
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, rows: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(rows)
        return wide(rows.transpose(1, 2) @ rows) / rows.shape[1], wide(rows.mean(1))

    @staticmethod
    def backward(ctx: torch.autograd.function.BackwardCFunction, d_gram: Tensor, d_mean: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        symmetric = ((d_gram + d_gram.transpose(1, 2)) / rows.shape[1]).to(rows.dtype)
        offset = (d_mean / rows.shape[1]).to(rows.dtype)[:, None]
        return torch.baddbmm(offset, rows, symmetric)


def gram_and_mean(features: Tensor) -> tuple[Tensor, Tensor]:
    """Gram matrix [B,C,C] and channel means [B,C] of features [B,C,H,W].

    The Gram matrix holds the channel correlations: the sum over pixels of f f^T / (H W).
    bfloat16 features are multiplied as such, summed in float32 and rounded once at the end, which is exact
    enough to tell styles apart (docs/history.md).
    """
    gram, mean = _GramAndMean.apply(features.permute(0, 2, 3, 1).flatten(1, 2))
    return gram, mean


def mean_std(features: Tensor) -> Tensor:
    """Channel means and deviations [B,2,C] of features [B,C,H,W]; sqrt(var + 1e-5)."""
    features = wide(features)
    mean = features.mean((2, 3))
    variance = (features - mean[:, :, None, None]).square().mean((2, 3))
    return torch.stack([mean, (variance + 1e-5).sqrt()], 1)


def normalized(features: Tensor) -> Tensor:
    """Instance-normalised features, the form in which content is compared."""
    features = wide(features)
    mean, std = mean_std(features).unbind(1)
    return (features - mean[:, :, None, None]) / std[:, :, None, None]


def style_statistics(features: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gram matrices [B,C,C] and means and deviations [B,2,C] by layer, in one go.

    The deviations come from the Gram matrices' diagonals: var = E[f^2] - E[f]^2.
    """
    grams, moments = {}, {}
    for name in STYLE_LAYERS:
        gram, mean = gram_and_mean(features[name])
        grams[name], moments[name] = gram, moments_of(gram, mean)
    return grams, moments


def color_moments(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean [B,3] and covariance [B,3,3] of the pixels of [B,3,H,W]."""
    gram, mean = gram_and_mean(wide(image))
    return mean, gram - mean[:, :, None] * mean[:, None, :]


# A picture and its halves: in them a network with a view of 68 pixels sees texture, strokes and shapes.
SIZES = ("whole", "half", "quarter")

# The shorter side that the loss network needs for one value of relu4_1.
SMALLEST_SIDE = 8

StyleStatistics = tuple[dict[str, Tensor], dict[str, Tensor]]


def sized_pictures(image: Tensor) -> list[Tensor]:
    """The picture [B,3,H,W] at whole, half and quarter size: itself, [B,3,H/2,W/2], [B,3,H/4,W/4].

    Each is the mean of 2 x 2 pixels of the one before. Sizes whose shorter side would have fewer than
    `SMALLEST_SIDE` pixels are left out; the whole picture is always there.
    """
    pictures = [image]
    while len(pictures) < len(SIZES) and min(pictures[-1].shape[-2:]) // 2 >= SMALLEST_SIDE:
        pictures.append(F.avg_pool2d(pictures[-1], 2))
    return pictures


def style_at_sizes(network: LossNetwork, image: Tensor) -> list[StyleStatistics]:
    """`style_statistics` of [B,3,H,W] at whole, half and quarter size (`sized_pictures`).

    Strokes are larger than what relu4_1 sees in a large picture; at a quarter of the size it sees them.
    """
    return [style_statistics(network(picture)) for picture in sized_pictures(image)]


def moments_of(gram: Tensor, mean: Tensor) -> Tensor:
    """Means and deviations [...,2,C] from a Gram matrix [...,C,C] and means [...,C].

    var = E[f^2] - E[f]^2, sqrt(var + 1e-5) as in `mean_std`.
    """
    variance = (gram.diagonal(dim1=-2, dim2=-1) - mean.square()).clamp_min(0)
    return torch.stack([mean, (variance + 1e-5).sqrt()], -2)
