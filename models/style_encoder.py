"""Style encoder: how a picture is painted, as one style code per picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import LEAKY_SLOPE, Conv3x3, init_conv, pad_to_stride, unshuffle
from .passes import ForwardPass

STYLE_STRIDE = 16


class StyleEncoder(nn.Module):
    """image [B,3,h,w] in 0..1 -> style code w [B,L,D], L modulated layers, coarse to fine.

    It takes mean and deviation of its features at 1/4, 1/8 and 1/16 (without normalisation, which would
    remove what is measured), then a mapping of fully connected layers.

    It differs from StyleGAN's mapping in one point: the code of each layer starts as the plain statistics
    of the level that `levels` names, deviation first, and the mapping adds to them. So the generator does
    AdaIN with the painting's own statistics from the first step on (docs/history.md).
    """

    def __init__(
        self,
        fine_channels: int,
        coarse_channels: int,
        code_dim: int,
        levels: tuple[int, ...],
        hidden: int,
    ):
        super().__init__()
        self.levels, self.code_dim = levels, code_dim
        # Features at 1/4, 1/8 and 1/16.
        self.stem = Conv3x3(48, fine_channels)
        self.conv4 = Conv3x3(fine_channels, fine_channels)
        self.down8 = Conv3x3(fine_channels, coarse_channels, stride=2)
        self.conv8 = Conv3x3(coarse_channels, coarse_channels)
        self.down16 = Conv3x3(coarse_channels, coarse_channels, stride=2)
        # The mapping from means and deviations to what is added to each layer's code: 0 at the start.
        statistics = 2 * (fine_channels + 2 * coarse_channels)
        last = nn.Linear(hidden, len(levels) * code_dim)
        self.mapping = nn.Sequential(
            nn.Linear(statistics, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            last,
        )
        for layer in self.mapping:
            if isinstance(layer, nn.Linear):
                init_conv(layer)
        nn.init.zeros_(last.weight)

    def statistics(self, image: Tensor, how: ForwardPass) -> list[Tensor]:
        """Deviation and mean of the features at 1/4, 1/8 and 1/16: three [B,2C]."""
        cells = unshuffle(pad_to_stride(image, STYLE_STRIDE))
        # f4 and f8 are measured before their activation, so their activation must not be in place.
        f4 = self.conv4(how.activate(self.stem(cells)))
        f8 = self.conv8(how.activate(self.down8(F.leaky_relu(f4, LEAKY_SLOPE))))
        f16 = self.down16(F.leaky_relu(f8, LEAKY_SLOPE))
        return [torch.cat(how.mean_std(f)[::-1], 1).flatten(1) for f in (f4, f8, f16)]

    def forward(self, image: Tensor, how: ForwardPass) -> Tensor:
        """image [B,3,h,w] in 0..1 -> style code w [B,L,D]."""
        how.check(self, image)
        statistics = self.statistics(image, how)
        residual: Tensor = self.mapping(torch.cat(statistics, 1)).reshape(-1, len(self.levels), self.code_dim)
        base = [F.pad(statistics[i], (0, self.code_dim - statistics[i].shape[1])) for i in self.levels]
        return torch.stack(base, 1) + residual
