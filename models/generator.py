"""Generator: paints a content code with a style code."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .content_encoder import ContentCode
from .layers import Conv3x3, init_conv
from .passes import ForwardPass, blend
from .strips import Strip


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
        parts: tuple[Tensor, ...] = self.affine(w).chunk(self.parts, 1)
        return parts


class ModulatedBlock(nn.Module):
    """Residual block that w drives twice: [B,C,H,W], [B,D] -> [B,C,H,W].

    AdaIN sets mean and deviation of the input; then every filter of both convolutions is
    multiplied by a factor from w (filter modulation, MicroAST 2023). The factors act on the
    convolutions' outputs: that is the same thing, and it blends per pixel when masks mix styles.
    """

    def __init__(self, name: str, channels: int, code_dim: int):
        """`name` is that of its normalization."""
        super().__init__()
        self.name = name
        self.modulation = Modulation(code_dim, channels, (1.0, 0.0, 1.0, 1.0))
        self.conv1 = Conv3x3(channels, channels)
        self.conv2 = Conv3x3(channels, channels, gain=0.3)

    def forward(self, x: Tensor, w: Tensor, how: ForwardPass, shares: Tensor | None = None) -> Tensor:
        """For one picture in K styles: w [K,D], and their `shares` [H,W,K] at every place."""
        scale, shift, filter1, filter2 = self.modulation(w)
        filter1, filter2 = filter1[:, :, None, None], filter2[:, :, None, None]
        modulated = how.modulate(self.name, x, scale, shift, shares)

        def painted_rows(strip: Strip) -> Tensor:
            # Each convolution sees one more row on either side.
            middle = strip.widened(1)
            h = how.activate(modulated(middle.widened(1)))
            h = how.multiply(self.conv1(h, **middle.borders), blend(filter1, shares, middle))
            h = self.conv2(how.activate(h), **strip.borders)
            return torch.addcmul(strip.rows(x), h, blend(filter2, shares, strip))

        return how.by_rows(painted_rows, x.shape, like=x)


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
            ModulatedBlock(f"generator.coarse_blocks.{i}", coarse_channels, code_dim)
            for i in range(coarse_blocks)
        )
        self.up = nn.Conv2d(coarse_channels, fine_channels, kernel_size=1)
        init_conv(self.up)
        self.fine_entry = Modulation(code_dim, fine_channels, (1.0, 0.0), identity=True)
        self.fine_blocks = nn.ModuleList(
            ModulatedBlock(f"generator.fine_blocks.{i}", fine_channels, code_dim) for i in range(fine_blocks)
        )
        self.palette = Modulation(code_dim, fine_channels, (1.0, 0.0), identity=True)
        self.head = Conv3x3(fine_channels, 48, gain=0.5)
        # All 16 phases of the shuffle start alike; otherwise there is a 4-pixel grid from the first step.
        with torch.no_grad():
            self.head.weight.copy_(self.head.weight[::16].repeat_interleave(16, 0))

    @property
    def normalized(self) -> tuple[str, ...]:
        """The names of its normalizations."""
        blocks = [block.name for block in (*self.coarse_blocks, *self.fine_blocks)]
        return ("generator.entry", *blocks, "generator.fine_entry", "generator.palette")

    def forward(
        self,
        content: ContentCode,
        w: Tensor,
        how: ForwardPass,
        shares: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """With `shares`, one picture is painted in K styles w [K,L,D], each place in its own mixture.

        `shares` are those at 1/8 and at 1/4, [H/8,W/8,K] and [H/4,W/4,K]; they need a frozen pass.
        """
        how.check(self, content.fine, content.coarse, w, *(shares or ()))
        coarse_shares, fine_shares = shares or (None, None)
        codes = iter(w.unbind(1))

        # At 1/8: the shapes of the content get the style's mean and deviation; then blocks work them over.
        scale, shift = self.entry(next(codes))
        entry = how.modulate("generator.entry", content.coarse, scale, shift, coarse_shares)
        x = entry(Strip.whole(content.coarse.shape[2]))
        for block in self.coarse_blocks:
            x = block(x, next(codes), how, coarse_shares)

        # At 1/4: enlarge, add the edges and the texture of the content, and work it over again.
        x = F.interpolate(self.up(how.activate(x)), scale_factor=2, mode="bilinear", align_corners=False)
        scale, shift = self.fine_entry(next(codes))
        x = how.add_modulated("generator.fine_entry", x, content.fine, scale, shift, fine_shares)
        for block in self.fine_blocks:
            x = block(x, next(codes), how, fine_shares)

        # The last layer sets the palette, and every cell becomes 4 x 4 pixels.
        scale, shift = self.palette(next(codes))
        colored = how.modulate("generator.palette", x, scale, shift, fine_shares)

        def pixel_rows(strip: Strip) -> Tensor:
            h = how.activate(colored(strip.widened(1)))
            return F.pixel_shuffle(self.head(h, **strip.borders), 4).add_(0.5)

        return how.by_rows(pixel_rows, x.shape, like=x)
