"""The lessons of `scripts.one_pass_weights`: photos, and what a network makes of them with more work."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from brushwork.models import StyleGAN
from brushwork.models.cycle_spinning import spun
from brushwork.models.grid import GRID
from brushwork.models.noise import PlacedNoise
from brushwork.models.passes import ForwardPass, Frozen
from brushwork.models.perception.statistics import color_moments
from brushwork.models.perception.vgg import fastest_loss_dtype
from brushwork.painting.calm_grounds import Calm, blurred, calm_of, plain_places, with_calm_grounds
from brushwork.painting.colors import match_moments
from brushwork.painting.fine_contrast import fine_detail, with_fine_contrast
from brushwork.painting.objective import Mixture
from brushwork.pictures.reading import Picture
from brushwork.pictures.tensors import load_square
from brushwork.training.crop_pool import CropPool
from scripts.along_forms import with_strokes_along_forms
from scripts.rims import without_rims

# Paintings are read at this side for their codes and their fine contrast, as nodes and commands do.
STYLE_SIDE = 512

# Of the lessons, this share mixes two styles, this one has less strength, and this one has strength 0: there
# the photo itself is what the pupil learns.
MIXED, WEAKER, PLAIN = 0.15, 0.1, 0.05

# Traits of a painting without any detail.
_LEAST = 1e-7

# Pixels: what is finer is detail. A firm lesson has so much more of it than the network paints, and on plain
# grounds a share less.
_DETAIL, _FIRM, _FIRM_ON_PLAIN = 3.0, 0.4, 0.8


class Lesson(NamedTuple):
    """Photo and picture, uint8 [3,S,S], a code [L,D], and the seed of the strokes."""

    photo: Tensor
    picture: Tensor
    code: Tensor
    seed: int


class Style(NamedTuple):
    """What a lesson is painted with: a code [L,D], the painting's traits [15] (`styles_of`), a strength."""

    code: Tensor
    traits: Tensor
    strength: float


class Teacher:
    """Paints lessons, `batch` at a time, of the kind `lesson`: "mean", "calm" or "firm".

    `styles` are codes [N,L,D], `traits` [N,15] are of their paintings, see `styles_of`.
    """

    def __init__(
        self,
        gan: StyleGAN,
        photos: CropPool,
        styles: Tensor,
        traits: Tensor,
        *,
        lesson: str,
        batch: int,
        seed: int,
    ):
        self._gan, self._photos, self._styles, self._traits = gan, photos, styles, traits
        self._paint = {"mean": self._mean, "calm": self._calm, "firm": self._firm}[lesson]
        self._batch, self._random = batch, random.Random(seed)

    @torch.no_grad()
    def lessons(self) -> list[Lesson]:
        """A batch of new ones."""
        # Photos, and for each a style and a seed.
        photos = self._photos.batch(torch.randint(len(self._photos), (self._batch,)), torch.device("cpu"))
        styles = [self._style(photo[None]) for photo in photos]
        seeds = [self._random.randrange(2**40) for _ in range(self._batch)]
        # What the teacher paints with them. At strength 0 the photo itself is the lesson.
        painted = self._paint(photos, torch.stack([style.code for style in styles]), seeds, styles)
        pictures = [
            picture if style.strength else photo
            for photo, picture, style in zip(photos, painted, styles, strict=True)
        ]
        return [
            Lesson(_bytes(photo), _bytes(picture), style.code, seed)
            for photo, picture, style, seed in zip(photos, pictures, styles, seeds, strict=True)
        ]

    def _mean(
        self, photos: Tensor, codes: Tensor, seeds: Sequence[int], styles: Sequence[Style]
    ) -> list[Tensor]:
        """The mean over places of the grid, with the painting's fine contrast."""
        with _half():
            mean = spun(
                self._gan,
                photos,
                torch.randint(GRID, (1, 2)),
                lambda content: content.cut(
                    self._gan.generator(content, codes, Frozen(), PlacedNoise(seeds))
                ).float(),
                Frozen(),
            )
        pictures = []
        for photo, picture, style in zip(photos, mean, styles, strict=True):
            plain = fine_detail(photo[None]).square().mean().clamp_min(_LEAST).log()
            contrast = plain.lerp(style.traits[0], style.strength).exp().view(1, 1)
            pictures.append(with_fine_contrast(picture[None], contrast)[0])
        return pictures

    def _calm(
        self, photos: Tensor, codes: Tensor, seeds: Sequence[int], styles: Sequence[Style]
    ) -> list[Tensor]:
        """One painting, with plain grounds as calm as the calm places of the style's painting."""
        painted = paint_once(self._gan, photos, codes, seeds, Frozen(), any_corner())
        return list(_calmed(painted.clamp(0, 1), photos, styles))

    def _firm(
        self, photos: Tensor, codes: Tensor, seeds: Sequence[int], styles: Sequence[Style]
    ) -> list[Tensor]:
        """One painting in the colours of the style's, calm, with strokes along its forms, without rims."""
        painted = paint_once(self._gan, photos, codes, seeds, Frozen()).clamp(0, 1)
        strengths = torch.tensor([style.strength for style in styles])
        traits = torch.stack([style.traits for style in styles])
        # With less strength, colours between those of the photo and those of the painting.
        mean, covariance = (
            own + strengths.view(-1, *[1] * (own.dim() - 1)) * (wanted - own)
            for own, wanted in zip(
                color_moments(photos), (traits[:, 3:6], traits[:, 6:].unflatten(1, (3, 3))), strict=True
            )
        )
        picture = _calmed(match_moments(painted, mean, covariance), photos, styles)
        picture = with_strokes_along_forms(picture, photos, strengths)
        # Crisp, but no grain on grounds.
        fine = (1 - _FIRM_ON_PLAIN * plain_places(photos)) * (picture - blurred(picture, _DETAIL))
        amounts = strengths.view(-1, 1, 1, 1)
        picture = (picture + _FIRM * amounts * fine).clamp(0, 1)
        return list(torch.lerp(picture, without_rims(picture, photos), amounts))

    def _style(self, photo: Tensor) -> Style:
        first, second = (self._random.randrange(len(self._styles)) for _ in range(2))
        code, traits = self._styles[first], self._traits[first]
        draw = self._random.random()
        if draw < MIXED:
            share = self._random.random()
            return Style(
                code.lerp(self._styles[second], share), traits.lerp(self._traits[second], share), 1.0
            )
        if draw < MIXED + WEAKER + PLAIN:
            strength = 0.0 if draw >= MIXED + WEAKER else self._random.uniform(0.2, 0.9)
            return Style(self._gan.encode_style(photo)[0].lerp(code, strength), traits, strength)
        return Style(code, traits, 1.0)


def any_corner() -> Tensor:
    """A random place of the grid, [1,2]."""
    return torch.randint(GRID, (1, 2))


def paint_once(
    gan: StyleGAN,
    photos: Tensor,
    codes: Tensor,
    seeds: Sequence[int],
    how: ForwardPass,
    corner: Tensor | None = None,
) -> Tensor:
    """Photos [B,3,H,W] painted in one pass, [B,3,H,W]; values may lie beyond 0..1.

    corner [1,2]: the place of the grid; without it, that which each photo chooses.
    """
    with _half():
        content = gan.encode_content(photos, how, corner)
        return content.cut(gan.generator(content, codes, how, PlacedNoise(seeds))).float()


def styles_of(gan: StyleGAN, paintings: Sequence[Picture]) -> tuple[Tensor, Tensor]:
    """Codes [N,L,D] and traits [N,15] of the paintings.

    The first three traits are logarithms, so that styles can be mixed: of the mean square of fine detail, and
    of the strokes and the grain of calm places. Then come the mean colour and the covariance of the colours.
    """
    codes, traits = [], []
    for painting in paintings:
        picture = load_square(painting, STYLE_SIDE)
        codes.append(gan.encode_style(picture))
        calm = calm_of([Mixture([picture], [1.0])])
        found = (fine_detail(picture).square().mean(), calm.strokes[0, 0], calm.grain[0, 0])
        logs = torch.stack(found).clamp_min(_LEAST).log()
        mean, covariance = color_moments(picture)
        traits.append(torch.cat([logs, mean[0], covariance[0].flatten()]))
    return torch.cat(codes), torch.stack(traits)


def _calmed(pictures: Tensor, photos: Tensor, styles: Sequence[Style]) -> Tensor:
    """Pictures [B,3,H,W] with plain grounds as calm as the calm places of the styles' paintings."""
    levels = torch.stack([style.traits for style in styles])[:, 1:3].exp()
    strengths = torch.tensor([style.strength for style in styles])
    return with_calm_grounds(pictures, photos, Calm(levels[:, :1], levels[:, 1:]), amount=strengths)


def _half() -> torch.autocast:
    """bfloat16 where the CPU multiplies it; others take six times as long with it as with float32."""
    wanted = fastest_loss_dtype(torch.device("cpu")) == torch.bfloat16
    return torch.autocast("cpu", torch.bfloat16, enabled=wanted)


def _bytes(picture: Tensor) -> Tensor:
    return (picture * 255).round().clamp(0, 255).byte()
