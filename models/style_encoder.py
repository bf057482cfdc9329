"""Style encoder: how a picture is painted, as one style code per picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .compiling import Compilable
from .devices import without_autocast
from .layers import LEAKY_SLOPE, Conv3x3, init_conv, unshuffle
from .normalization import wide
from .padding import pad_to_stride
from .passes import ForwardPass

STYLE_STRIDE = 16

# Added to the variance that covariances are divided by: a flat picture has none.
_LEAST_VARIANCE = 1e-4


class StyleEncoder(Compilable):
    """image [B,3,h,w] in 0..1 -> style code w [B,L,D], L modulated layers, coarse to fine.

    It takes mean and deviation of its features at 1/4, 1/8 and 1/16 (without normalisation, which would
    remove what is measured), then a mapping of fully connected layers. A second mapping sees the
    covariances of the features, too: which of them occur together says more about strokes than how strong
    each is (Gatys et al. 2016).

    It differs from StyleGAN's mapping in one point: the code of each layer starts as the plain statistics
    of the level that `levels` names, deviation first, and the mappings add to them. So the generator does
    AdaIN with the painting's own statistics from the first step on (docs/history.md).
    """

    def __init__(
        self,
        fine_channels: int,
        coarse_channels: int,
        code_dim: int,
        levels: tuple[int, ...],
        hidden: int,
        covariance_channels: int,
        covariance_hidden: int,
    ):
        super().__init__()
        self.levels, self.code_dim = levels, code_dim
        # Features at 1/4, 1/8 and 1/16.
        self.stem = Conv3x3(48, fine_channels)
        self.conv4 = Conv3x3(fine_channels, fine_channels)
        self.down8 = Conv3x3(fine_channels, coarse_channels, stride=2)
        self.conv8 = Conv3x3(coarse_channels, coarse_channels)
        self.down16 = Conv3x3(coarse_channels, coarse_channels, stride=2)
        # Fewer channels of each, for their covariances.
        self.projections = nn.ModuleList(
            nn.Conv2d(channels, covariance_channels, kernel_size=1)
            for channels in (fine_channels, coarse_channels, coarse_channels)
        )
        # What is added to each layer's code: 0 at the start.
        statistics = 2 * (fine_channels + 2 * coarse_channels)
        covariances = 3 * covariance_channels * (covariance_channels + 1) // 2
        added = len(levels) * code_dim
        self.mapping = _mapping(statistics, hidden, added)
        self.covariance_norm = nn.LayerNorm(statistics + covariances)
        self.covariance_mapping = _mapping(statistics + covariances, covariance_hidden, added)

    def features(self, image: Tensor, how: ForwardPass) -> tuple[Tensor, Tensor, Tensor]:
        """The maps at 1/4, 1/8 and 1/16 whose statistics are a style."""
        cells = unshuffle(pad_to_stride(image, STYLE_STRIDE))
        # f4 and f8 are measured before their activation, so their activation must not be in place.
        f4 = self.conv4(how.activate(self.stem(cells)))
        f8 = self.conv8(how.activate(self.down8(F.leaky_relu(f4, LEAKY_SLOPE))))
        return f4, f8, self.down16(F.leaky_relu(f8, LEAKY_SLOPE))

    def statistics(self, image: Tensor, how: ForwardPass) -> list[Tensor]:
        """Deviation and mean of the features at 1/4, 1/8 and 1/16: three [B,2C]."""
        return [_deviation_mean(f, how) for f in self.features(image, how)]

    def forward(self, image: Tensor, how: ForwardPass) -> Tensor:
        """image [B,3,h,w] in 0..1 -> style code w [B,L,D]."""
        how.check(self, image)
        features = self.features(image, how)
        statistics = [_deviation_mean(f, how) for f in features]
        covariances = [
            covariance_triangle(project(f)) for project, f in zip(self.projections, features, strict=True)
        ]
        found = torch.cat([*statistics, *covariances], 1)
        residual: Tensor = self.mapping(torch.cat(statistics, 1)) + self.covariance_mapping(
            self.covariance_norm(found)
        )
        base = [F.pad(statistics[i], (0, self.code_dim - statistics[i].shape[1])) for i in self.levels]
        return torch.stack(base, 1) + residual.reshape(-1, len(self.levels), self.code_dim)


def covariance_triangle(x: Tensor) -> Tensor:
    """x [B,C,H,W] -> the upper triangle of its channels' covariance matrix, [B,C(C+1)/2], float32 or wider.

    Divided by the mean variance, so that it says how channels go together and not how strong they are.
    """
    with without_autocast(x.device):
        values = wide(x).permute(0, 2, 3, 1).flatten(1, 2)
        values = values - values.mean(1, keepdim=True)
        covariance = values.transpose(1, 2) @ values / values.shape[1]
        variance = covariance.diagonal(dim1=1, dim2=2).mean(1)
        rows, columns = torch.triu_indices(x.shape[1], x.shape[1], device=x.device)
        return covariance[:, rows, columns] / (variance[:, None] + _LEAST_VARIANCE)


def _deviation_mean(x: Tensor, how: ForwardPass) -> Tensor:
    return torch.cat(how.mean_std(x)[::-1], 1).flatten(1)


def _mapping(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Three fully connected layers whose output starts at 0."""
    layers = [nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, outputs)]
    for layer in layers:
        init_conv(layer)
    nn.init.zeros_(layers[-1].weight)
    first, second, last = layers
    return nn.Sequential(first, nn.LeakyReLU(LEAKY_SLOPE), second, nn.LeakyReLU(LEAKY_SLOPE), last)
