"""Generator: paints a content code with a style code."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .content_encoder import ContentCode
from .layers import (
    Conv3x3,
    Measure,
    Strip,
    adain,
    adain_affine,
    channel_mean_std,
    init_conv,
    leaky_relu_,
    strips,
)


class Modulation(nn.Module):
    """Affine map of one layer's style code to `parts` vectors: [B,D] -> `parts` tensors [B,C].

    With `identity` the first two parts start as the code's own first 2C numbers (deviation and mean
    as the style encoder delivers them); else scales start at 1 and shifts at 0.
    """

    def __init__(self, code_dim: int, channels: int, starts: tuple[float, ...], identity: bool = False):
        super().__init__()
        self.parts = len(starts)
        self.affine = nn.Linear(code_dim, channels * self.parts)
        nn.init.normal_(self.affine.weight, std=0.02)
        with torch.no_grad():
            self.affine.bias.copy_(torch.tensor(starts).repeat_interleave(channels))
            if identity:
                nn.init.eye_(self.affine.weight)
                nn.init.zeros_(self.affine.bias)

    def forward(self, w: Tensor) -> tuple[Tensor, ...]:
        return self.affine(w).chunk(self.parts, 1)


class ModulatedBlock(nn.Module):
    """Residual block that w drives twice: [B,C,H,W], [B,D] -> [B,C,H,W].

    AdaIN sets mean and deviation of what comes in; then every filter of both convolutions is
    multiplied by a factor from w (filter modulation, MicroAST 2023). The factors act on the
    convolutions' outputs, which is the same thing and blends per pixel when masks mix styles.
    """

    def __init__(self, channels: int, code_dim: int):
        super().__init__()
        self.modulation = Modulation(code_dim, channels, (1.0, 0.0, 1.0, 1.0))
        self.conv1 = Conv3x3(channels, channels)
        self.conv2 = Conv3x3(channels, channels, gain=0.3)

    def forward(
        self, x: Tensor, w: Tensor, shares: Tensor | None = None, measure: Measure = channel_mean_std
    ) -> Tensor:
        """With `shares` [H,W,K] of K styles w [K,D] at every place, for one picture, without gradients."""
        scale, shift, filter1, filter2 = self.modulation(w)
        filter1, filter2 = filter1[:, :, None, None], filter2[:, :, None, None]
        if torch.is_grad_enabled():
            h = leaky_relu_(adain(x, scale, shift))
            h = leaky_relu_(self.conv1(h) * filter1)
            return torch.addcmul(x, self.conv2(h), filter2)
        # The same in strips: only the statistics need the whole map.
        offset, gain = adain_affine(x, scale, shift, measure)
        painted = torch.empty_like(x)
        for strip in strips(x):
            middle = strip.widened(1)
            outer = middle.widened(1)
            h = torch.addcmul(_blend(offset, shares, outer), outer.of(x), _blend(gain, shares, outer))
            h = self.conv1(leaky_relu_(h), **middle.borders).mul_(_blend(filter1, shares, middle))
            h = self.conv2(leaky_relu_(h), **strip.borders)
            torch.addcmul(strip.of(x), h, _blend(filter2, shares, strip), out=strip.of(painted))
        return painted


def _blend(factor: Tensor, shares: Tensor | None, strip: Strip) -> Tensor:
    """What `strip` is multiplied with or shifted by: `factor` [B,C,1,1] itself without `shares`; else
    each place's mean of K styles' factors [K,C,1,1] by their shares [H,W,K]: [1,C,rows,W]."""
    if shares is None:
        return factor
    return (shares[strip.start : strip.stop] @ factor.flatten(1)).permute(2, 0, 1)[None]


class Generator(nn.Module):
    """content code, w [B,L,D] -> image [B,3,H',W'], H' and W' rounded up to the stride.

    AdaIN and a trunk of modulated blocks at 1/8, bilinear upsampling (nearest leaves an 8-pixel
    grid), the normalised 1/4 features, modulated blocks at 1/4, one last AdaIN that sets the
    palette, and a pixel-shuffle head. The output is linear around mid-grey: callers clamp to 0..1.
    """

    def __init__(
        self,
        fine_channels: int,
        coarse_channels: int,
        code_dim: int,
        coarse_blocks: int,
        fine_blocks: int,
    ):
        super().__init__()
        self.entry = Modulation(code_dim, coarse_channels, (1.0, 0.0), identity=True)
        self.coarse_blocks = nn.ModuleList(
            ModulatedBlock(coarse_channels, code_dim) for _ in range(coarse_blocks)
        )
        self.up = nn.Conv2d(coarse_channels, fine_channels, kernel_size=1)
        init_conv(self.up)
        self.fine_entry = Modulation(code_dim, fine_channels, (1.0, 0.0), identity=True)
        self.fine_blocks = nn.ModuleList(ModulatedBlock(fine_channels, code_dim) for _ in range(fine_blocks))
        self.palette = Modulation(code_dim, fine_channels, (1.0, 0.0), identity=True)
        self.head = Conv3x3(fine_channels, 48, gain=0.5)
        # All 16 phases of the shuffle start alike, or a 4-pixel grid is there from the first step.
        with torch.no_grad():
            self.head.weight.copy_(self.head.weight[::16].repeat_interleave(16, 0))

    @property
    def layers(self) -> int:
        """L, the number of modulated layers."""
        return len(self.coarse_blocks) + len(self.fine_blocks) + 3

    @property
    def coarse_layers(self) -> int:
        """How many of the L layers work at 1/8: the 'structure' half of a split mix."""
        return len(self.coarse_blocks) + 1

    def forward(
        self,
        content: ContentCode,
        w: Tensor,
        shares: tuple[Tensor, Tensor] | None = None,
        measure: Measure = channel_mean_std,
    ) -> Tensor:
        """With `shares`, of K styles w [K,L,D] in one picture at 1/8 and at 1/4, [H/8,W/8,K] and
        [H/4,W/4,K], every place is painted in its mixture of them. `measure` is asked once per layer,
        in their order. Both without gradients only."""
        coarse, fine = shares or (None, None)
        layer = iter(w.unbind(1))
        scale, shift = self.entry(next(layer))
        if coarse is None:
            x = adain(content.coarse, scale, shift, measure)
        else:
            offset, gain = adain_affine(content.coarse, scale, shift, measure)
            whole = Strip(0, len(coarse), len(coarse))
            x = torch.addcmul(_blend(offset, coarse, whole), content.coarse, _blend(gain, coarse, whole))
        for block in self.coarse_blocks:
            x = block(x, next(layer), coarse, measure)
        x = F.interpolate(self.up(leaky_relu_(x)), scale_factor=2, mode="bilinear", align_corners=False)
        if torch.is_grad_enabled():
            x = x + adain(content.fine, *self.fine_entry(next(layer)))
        else:
            offset, gain = adain_affine(content.fine, *self.fine_entry(next(layer)), measure)
            whole = Strip(0, x.shape[2], x.shape[2])
            x.add_(_blend(offset, fine, whole)).addcmul_(content.fine, _blend(gain, fine, whole))
        for block in self.fine_blocks:
            x = block(x, next(layer), fine, measure)
        return self._to_image(x, next(layer), fine, measure)

    def _to_image(self, x: Tensor, w: Tensor, shares: Tensor | None, measure: Measure) -> Tensor:
        """Palette and head: [B,C,H/4,W/4] -> [B,3,H,W]."""
        scale, shift = self.palette(w)
        if torch.is_grad_enabled():
            return F.pixel_shuffle(self.head(leaky_relu_(adain(x, scale, shift))), 4) + 0.5
        offset, gain = adain_affine(x, scale, shift, measure)
        size = (len(x), 3, x.shape[2] * 4, x.shape[3] * 4)
        image = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        for strip in strips(x):
            outer = strip.widened(1)
            h = torch.addcmul(_blend(offset, shares, outer), outer.of(x), _blend(gain, shares, outer))
            rows = F.pixel_shuffle(self.head(leaky_relu_(h), **strip.borders), 4)
            image[:, :, strip.start * 4 : strip.stop * 4] = rows.add_(0.5)
        return image
