"""Generator: paints a content code with a style code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .coded_colors import CodedColors, recolored
from .compiling import Compilable
from .content_encoder import CONTENT_STRIDES, ContentCode
from .dynamic_conv import DynamicConv3x3, Kernels, Mixtures
from .layer_statistics import COLORS
from .layers import Conv1x1, Conv3x3
from .noise import Noise, PlacedNoise
from .normalization import wide
from .passes import ForwardPass, Rows
from .shares import Shares
from .strips import Strip

SharesByMap = dict[str, Shares]
"""The shares of several styles in the cells of each map of a content code."""


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


class Drive(NamedTuple):
    """What S style codes make of a block: scale and shift of AdaIN and the noise's strength, [S,C] each, and
    the kernels of both convolutions."""

    scale: Tensor
    shift: Tensor
    strength: Tensor
    kernels: tuple[Kernels | Mixtures, Kernels | Mixtures]


class ModulatedBlock(nn.Module):
    """Residual block that w drives four times: [B,C,H,W], [B,D] -> [B,C,H,W].

    AdaIN sets mean and deviation of the input, and noise gives the brush something to hold on to where the
    picture is plain (StyleGAN, Karras et al. 2019). The kernels of both convolutions are mixed for w, and
    every filter is multiplied by a factor from w (filter modulation, MicroAST 2023). Mixture and factors
    become one kernel per style, so that a style costs no more than a fixed network.
    """

    def __init__(self, name: str, channels: int, code_dim: int, kernels: int):
        """`name` is that of its normalisation."""
        super().__init__()
        self.name = name
        self.modulation = Modulation(code_dim, channels, (1.0, 0.0, 1.0, 1.0))
        self.noise = nn.Linear(code_dim, channels)
        nn.init.normal_(self.noise.weight, std=1e-3)
        nn.init.zeros_(self.noise.bias)
        self.conv1 = DynamicConv3x3(channels, code_dim, kernels)
        self.conv2 = DynamicConv3x3(channels, code_dim, kernels, gain=0.3)

    def forward(
        self, x: Tensor, w: Tensor, how: ForwardPass, noise: Tensor, shares: Shares | None = None
    ) -> Tensor:
        """noise [B or 1,1,H,W], normal. For one picture in S styles: w [S,D], and their `shares`."""
        scale, shift, strength, kernels = self.driven_by(w, how)
        modulated = how.modulate(self.name, x, scale, shift, shares, (noise, strength))
        rows = self.painted_rows(lambda strip: strip.rows(x), modulated, kernels, how, shares)
        return how.by_rows(rows, x.shape, like=x)

    def driven_by(self, w: Tensor, how: ForwardPass) -> Drive:
        """What the style code w [S,D] decides in this block."""
        scale, shift, filter1, filter2 = self.modulation(w)
        kernels = how.kernels(self.conv1, w, filter1), how.kernels(self.conv2, w, filter2)
        return Drive(scale, shift, self.noise(w), kernels)

    def painted_rows(
        self,
        x: Rows,
        modulated: Rows,
        kernels: tuple[Kernels | Mixtures, Kernels | Mixtures],
        how: ForwardPass,
        shares: Shares | None,
    ) -> Rows:
        """The rows of the block's output, from those of its input and of its modulated input.

        For a strip they read the input up to two rows beyond it.
        """
        kernels1, kernels2 = kernels

        def painted(strip: Strip) -> Tensor:
            # Each convolution sees one more row on either side.
            middle = strip.widened(1)
            h = how.activate(modulated(middle.widened(1)))
            h = how.activate(how.convolve(h, kernels1, middle, shares))
            return how.add(how.convolve(h, kernels2, strip, shares), x(strip))

        return painted


class Level(NamedTuple):
    """What works at one resolution: the way up from the level before, the content's AdaIN, and blocks.

    `name` is that of the content's map.
    """

    name: str
    up: Conv1x1 | None
    entry: Modulation
    blocks: nn.ModuleList


def noise_of(noise: Noise, content: ContentCode, counts: dict[str, int]) -> list[Tensor]:
    """The noise maps [B or 1,count,h,w] of the levels, each with the `counts` of its blocks."""
    device = content.image.device
    return [
        noise.maps(CONTENT_STRIDES[name], count, content.cells[name], content.corner, device)
        for name, count in counts.items()
    ]


class Generator(Compilable):
    """content code, w [B,L,D] -> image [B,3,H',W'], H' and W' the picture's with its border.

    Four levels, from 1/32 to 1/4: AdaIN of the content's features, modulated blocks, bilinear upsampling
    (nearest leaves a grid) to the next level. Then one last AdaIN that sets the palette, and a pixel-shuffle
    head. At the end the picture gets the painting's mean colour and covariance, where `colors` knows them.
    The output is linear around mid-grey: callers clamp to 0..1.
    """

    def __init__(
        self,
        fine_channels: int,
        coarse_channels: int,
        wide_channels: int,
        code_dim: int,
        fine_blocks: int,
        coarse_blocks: int,
        wide_blocks: int,
        kernels: int,
        wide_kernels: int,
    ):
        super().__init__()

        def blocks(name: str, count: int, channels: int, kernels: int) -> nn.ModuleList:
            names = (f"generator.{name}_blocks.{i}" for i in range(count))
            return nn.ModuleList(ModulatedBlock(name, channels, code_dim, kernels) for name in names)

        # The codes of the wide levels hold fewer numbers than twice their channels: no identity there.
        self.widest_entry = Modulation(code_dim, wide_channels, (1.0, 0.0))
        self.widest_blocks = blocks("widest", wide_blocks, wide_channels, wide_kernels)
        self.up16 = Conv1x1(wide_channels, wide_channels)
        self.wide_entry = Modulation(code_dim, wide_channels, (1.0, 0.0))
        self.wide_blocks = blocks("wide", wide_blocks, wide_channels, wide_kernels)
        self.up8 = Conv1x1(wide_channels, coarse_channels, gain=0.05)
        self.coarse_entry = Modulation(code_dim, coarse_channels, (1.0, 0.0), identity=True)
        self.coarse_blocks = blocks("coarse", coarse_blocks, coarse_channels, kernels)
        self.up4 = Conv1x1(coarse_channels, fine_channels)
        self.fine_entry = Modulation(code_dim, fine_channels, (1.0, 0.0), identity=True)
        self.fine_blocks = blocks("fine", fine_blocks, fine_channels, kernels)
        self.palette = Modulation(code_dim, fine_channels, (1.0, 0.0), identity=True)
        self.head = Conv3x3(fine_channels, 48, gain=0.5)
        self.colors: CodedColors | None = None
        self.noise_of: Callable[[Noise, ContentCode, dict[str, int]], list[Tensor]] = noise_of
        # All 16 phases of the shuffle start alike; otherwise there is a 4-pixel grid from the first step.
        with torch.no_grad():
            self.head.weight.copy_(self.head.weight[::16].repeat_interleave(16, 0))

    def compile(self, *args: Any, mode: str | None = None, **kwargs: Any) -> None:  # noqa: ANN401  # as above
        super().compile(*args, mode=mode, **kwargs)
        # Seeds have 64 bits, and whole numbers in compiled code have 63 and a sign.
        self.noise_of = torch.compiler.disable(noise_of)

    @property
    def levels(self) -> tuple[Level, ...]:
        """From the widest view to the finest."""
        return (
            Level("widest", None, self.widest_entry, self.widest_blocks),
            Level("wide", self.up16, self.wide_entry, self.wide_blocks),
            Level("coarse", self.up8, self.coarse_entry, self.coarse_blocks),
            Level("fine", self.up4, self.fine_entry, self.fine_blocks),
        )

    @property
    def maps(self) -> dict[str, str]:
        """The names of its normalisations, in the order of the style code's layers, each with the name of the
        content's map that has as many cells as what it normalises. The last one may be that of the picture's
        colours, with 4 x 4 pixels in each cell."""
        found = {}
        for level in self.levels:
            found[f"generator.{level.name}_entry"] = level.name
            found |= {str(block.name): level.name for block in level.blocks}
        found["generator.palette"] = self.levels[-1].name
        return found if self.colors is None else found | {COLORS: self.levels[-1].name}

    @property
    def normalized(self) -> tuple[str, ...]:
        """The names of its normalisations, those of `maps`."""
        return tuple(self.maps)

    def forward(
        self,
        content: ContentCode,
        w: Tensor,
        how: ForwardPass,
        noise: Noise | None = None,
        shares: SharesByMap | None = None,
    ) -> Tensor:
        """One style [1,L,D] paints all pictures, or each has its own. Without `noise` it is that of seed 0.

        With `shares`, one picture is painted in S styles w [S,L,D], each place in its own mixture; this needs
        a frozen pass.
        """
        shares = shares or {}
        how.check(self, *content.maps.values(), w, *(each.values for each in shares.values()))
        noise = noise or PlacedNoise()
        codes = iter(w.unbind(1))
        maps = self.noise_of(noise, content, {level.name: len(level.blocks) for level in self.levels})

        # Shapes first: each level adds the content's next finer features and works the sum over.
        x = content.widest
        for level, grain in zip(self.levels, maps, strict=True):
            name, features = f"generator.{level.name}_entry", content.maps[level.name]
            scale, shift = level.entry(next(codes))
            share = shares.get(level.name)
            if level.up is None:
                x = how.modulate(name, features, scale, shift, share)(Strip.whole(features.shape[2]))
            else:
                x = _enlarged(level.up(how.activate(x)), features)
                x = how.add_modulated(name, x, features, scale, shift, share)
            for block, own in zip(level.blocks, grain.to(x.dtype).split(1, 1), strict=True):
                x = block(x, next(codes), how, own, share)

        # The last layer sets the palette, and every cell becomes 4 x 4 pixels.
        scale, shift = self.palette(next(codes))
        colored = how.modulate("generator.palette", x, scale, shift, shares.get("fine"))
        picture = how.by_rows(self.pixel_rows(colored, how), x.shape, like=content.image)
        return picture if self.colors is None else recolored(picture, self.colors(w), how, shares.get("fine"))

    def pixel_rows(self, colored: Rows, how: ForwardPass) -> Rows:
        """The pixels of a strip of cells, [B,3,4 rows,4 W], from the rows of the map in its colours."""

        def pixels(strip: Strip) -> Tensor:
            h = how.activate(colored(strip.widened(1)))
            return F.pixel_shuffle(wide(self.head(h, **strip.borders)), 4).add_(0.5)

        return pixels


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    """x with twice the rows and columns, or one less where `like` has so: both begin at the same corner."""
    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    if x.shape[2:] != like.shape[2:]:
        x = x[:, :, : like.shape[2], : like.shape[3]].contiguous(memory_format=torch.channels_last)
    return x
