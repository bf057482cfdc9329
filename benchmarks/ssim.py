"""Structural similarity of luminance (Wang et al. 2004)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 11
SIGMA = 1.5
# (K L)^2 with the paper's K and L = 1, the range of the values.
C1 = 0.01**2
C2 = 0.03**2
REC_601 = (0.299, 0.587, 0.114)


def luma(image: Tensor) -> Tensor:
    """Rec. 601 luma: [B,3,H,W] in 0..1 -> [B,1,H,W] in 0..1."""
    return (image * image.new_tensor(REC_601)[:, None, None]).sum(1, keepdim=True)


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Mean SSIM of the luma of two pictures [B,3,H,W] in 0..1: [B]; 1 for equal pictures.

    (2 mu_a mu_b + C1) (2 cov + C2) / ((mu_a^2 + mu_b^2 + C1) (var_a + var_b + C2)), statistics
    under an 11x11 Gaussian window of deviation 1.5, over the places where it lies inside the
    picture. In float64, because var = E[x^2] - E[x]^2 cancels on flat areas.

    Raises ValueError for pictures of unlike size or with a side below 11 pixels.
    """
    if a.shape != b.shape or min(a.shape[-2:]) < WINDOW:
        raise ValueError(
            f"SSIM compares pictures of one size, {WINDOW} pixels or more a side; "
            f"these are {tuple(a.shape)} and {tuple(b.shape)}."
        )
    x, y = luma(a.double()), luma(b.double())
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x * mean_x
    var_y = _blur(y * y) - mean_y * mean_y
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x * mean_x + mean_y * mean_y + C1)
    structure = (2 * covariance + C2) / (var_x + var_y + C2)
    return (luminance * structure).mean((1, 2, 3))


def _blur(x: Tensor) -> Tensor:
    offset = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    kernel = torch.exp(-offset.square() / (2 * SIGMA**2))
    kernel = kernel / kernel.sum()
    return F.conv2d(F.conv2d(x, kernel[None, None, :, None]), kernel[None, None, None, :])
