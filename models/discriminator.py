"""Discriminator: is this patch of a painting? Training only."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .layers import init_conv

# The loss network's layers that D looks at, in the picture and in the picture at half its size. Each has its
# channels, and the divisor of its activations: their root mean square over 300 paintings.
SCALES = {
    "relu2_1": (128, 226.0),
    "relu3_1": (256, 276.0),
    "relu4_1": (512, 881.0),
    "half_relu3_1": (256, 303.0),
    "half_relu4_1": (512, 1035.0),
}


class PatchDiscriminator(nn.Sequential):
    """features [B,C,h,w] -> patch logits [B,1,h/2,w/2], each with a view of 11 of the features' pixels.

    Spectral norm (Miyato et al. 2018) bounds the slope, so no gradient penalty is needed. The last
    convolution has none, so that the logits may take any scale.
    """

    def __init__(self, in_channels: int, channels: int):
        convolutions = [
            nn.Conv2d(in_channels, channels, 1),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.Conv2d(channels, channels, 3, padding=1),
        ]
        last = nn.Conv2d(channels, 1, 3, padding=1)
        for layer in (*convolutions, last):
            init_conv(layer)
        layers = [layer for x in convolutions for layer in (spectral_norm(x), nn.LeakyReLU(0.2))]
        super().__init__(*layers, last)


class Discriminator(nn.Module):
    """A picture's features in the loss network, by layer -> patch logits at 5 scales: [B,1,H/s,W/s] of a
    picture [B,3,H,W], s = 4, 8, 16, and 16 and 32 of the picture at half its size.

    It judges what a frozen network sees and not pixels (projected GANs, Sauer et al. 2021). So it learns
    within hundreds of steps (docs/history.md), and the style losses need these features anyway. Sauer's
    random mixing of the scales is left out: three layers leave little for D to hide in.
    """

    def __init__(self, channels: int = 64):
        super().__init__()
        patches = {name: PatchDiscriminator(count, channels) for name, (count, _) in SCALES.items()}
        self.scales = nn.ModuleDict(patches)

    def forward(self, features: Mapping[str, Tensor]) -> list[Tensor]:
        """`features` may hold more layers than those of `SCALES`, in any floating-point type."""
        dtype = torch.float64 if features["relu4_1"].dtype == torch.float64 else torch.float32
        return [self.scales[name](features[name].to(dtype) / size) for name, (_, size) in SCALES.items()]
