"""The module that a run trains: a network, a style code, or both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models import StyleGAN
from ..models.coded_colors import CodedColors
from ..models.layer_statistics import ColorMoments
from ..models.noise import PlacedNoise
from ..models.passes import Frozen, Trained
from ..models.perception.statistics import color_moments
from ..models.style_space import StyleSpace
from ..pictures.reading import Picture
from ..pictures.tensors import load_square

# Whole paintings are encoded at this side in pixels; the mean of at most this many is the first learned code.
ENCODE_SIDE, ENCODE_COUNT = 384, 64


def copy_network(gan: StyleGAN) -> StyleGAN:
    """A separate, trainable network with the same weights.

    It may come from a network that was loaded in inference mode, whose tensors autograd refuses.
    """
    own = StyleGAN(gan.config)
    own.load_state_dict(gan.state_dict())
    own.space, own.training_record = gan.space, gan.training_record
    return own


class Painter(nn.Module):
    """A `StyleGAN` with the parts that `mode` trains, and the style code that it learns beside them.

    style_code    the code; the network is frozen
    fine_tune     generator and code; the encoders are frozen, so that styles of the old network keep
                  their meaning for the new one
    from_scratch  the network; there is no code
    """

    def __init__(self, gan: StyleGAN, mode: str, code: Tensor | None = None):
        """`gan` becomes a part; the learned code starts as `code` [1,L,D]."""
        super().__init__()
        self.gan = gan
        self.code = nn.Parameter(code.clone()) if code is not None else None
        encoders_learn = mode == "from_scratch"
        self.encoders_pass = Trained() if encoders_learn else Frozen()
        self.gan.train().requires_grad_(encoders_learn)
        self.gan.generator.requires_grad_(mode != "style_code")

    def learning(self) -> list[nn.Parameter]:
        """The parameters that the optimiser moves."""
        return [p for p in self.parameters() if p.requires_grad]

    def forward(
        self, content: Tensor, style: Tensor, learned: Tensor, shifts: Sequence[Tensor], seeds: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """content [B,3,S,S], style [B,3,T,T] in 0..1 -> pictures [B,3,S,S] and their codes [B,L,D].

        The pictures are painted once for each of the `shifts`. learned [B], bool: which are painted with the
        learned code and not with the painting's own. seeds [B], int: of the noise.
        """
        code = self.gan.style_encoder(style, self.encoders_pass)
        if self.code is not None:
            code = torch.where(learned.to(code.device)[:, None, None], self.code.to(code.dtype), code)
        return [self.paint(content, code, shift, seeds) for shift in shifts], code.float()

    def paint(self, content: Tensor, code: Tensor, shift: Tensor, seeds: Tensor) -> Tensor:
        """content [B,3,S,S] in 0..1 with codes [B,L,D], behind a border of `shift` pixels: [B,3,S,S].

        shift: two numbers of 0..7. If the unshuffle grid or the loss network's strides always fell on the
        same pixels, the network would learn to paint a grid. The noise of the `seeds` [B] lies on the
        picture, so another border leaves it where it was.
        """
        side = content.shape[-1]
        down, right = shift.tolist()
        bordered = F.pad(content, (right, -right % 8, down, -down % 8), mode="reflect")
        maps = self.gan.content_encoder(bordered, self.encoders_pass)
        noise = PlacedNoise(seeds.tolist(), origin=(-down, -right))
        painted: Tensor = self.gan.generator(maps, code, Trained(), noise)
        return painted[:, :, down : down + side, right : right + side].float()


@torch.no_grad()
def mean_code(gan: StyleGAN, paintings: Sequence[Picture]) -> Tensor:
    """The mean style code [1,L,D] of up to 64 of the paintings, evenly spread."""
    device = next(gan.parameters()).device
    chosen = paintings[:: max(1, len(paintings) // ENCODE_COUNT)][:ENCODE_COUNT]
    codes = [gan.encode_style(load_square(p, ENCODE_SIDE).to(device)) for p in chosen]
    return torch.cat(codes).mean(0, keepdim=True)


@torch.no_grad()
def fit_to_codes(gan: StyleGAN, paintings: Sequence[Picture], side: int = 384) -> None:
    """Give the network what it knows of its style codes: how those of `paintings` are distributed, and which
    colours they stand for. From fewer than 2 paintings it learns neither."""
    gan.space = None
    if len(paintings) < 2:
        return
    codes, moments = codes_and_colors(gan, paintings, side)
    gan.space = StyleSpace.fit(codes)
    colors = CodedColors.fit(codes, moments)
    gan.set_colors(None if colors is None else colors.to(next(gan.parameters()).device))


@torch.no_grad()
def codes_and_colors(
    gan: StyleGAN, paintings: Sequence[Picture], side: int = 384
) -> tuple[Tensor, ColorMoments]:
    """Style codes [N,L,D] of the middles of the paintings, read at `side` pixels, and their colours' moments;
    on the CPU."""
    device = next(gan.parameters()).device
    codes, moments = [], []
    for path in paintings:
        picture = load_square(path, side)
        codes.append(gan.encode_style(picture.to(device)).cpu())
        moments.append(color_moments(picture))
    mean, covariance = (torch.cat(each) for each in zip(*moments, strict=True))
    return torch.cat(codes), ColorMoments(mean, covariance)
