"""Discriminator: is this patch a painting? Training only."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .layers import init_conv


class PatchDiscriminator(nn.Sequential):
    """image [B,3,H,W] -> patch logits [B,1,H/8,W/8], each with a view of 38 pixels.

    Spectral norm (Miyato et al. 2018) bounds the slope, so no gradient penalty is needed. The last
    convolution goes without, so that the logits may take any scale.
    """

    def __init__(self, channels: int):
        layers: list[nn.Module] = []
        widths = [3, channels, channels * 2, channels * 4]
        for before, after in zip(widths[:-1], widths[1:], strict=True):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        last = nn.Conv2d(widths[-1], 1, 3, padding=1)
        for layer in (*layers, last):
            if isinstance(layer, nn.Conv2d):
                init_conv(layer)
        super().__init__(*(spectral_norm(x) if isinstance(x, nn.Conv2d) else x for x in layers), last)


class Discriminator(nn.Module):
    """image [B,3,H,W] in 0..1 -> patch logits at 3 scales (pix2pixHD, Wang et al. 2018).

    The same architecture sees the picture at full, half and quarter size: grain, strokes, masses.
    """

    def __init__(self, channels: int = 32, scales: int = 3):
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(channels) for _ in range(scales))

    def forward(self, image: Tensor) -> list[Tensor]:
        x = image * 2 - 1
        logits = []
        for i, patch in enumerate(self.scales):
            if i:
                x = F.avg_pool2d(x, 2)
            logits.append(patch(x))
        return logits
