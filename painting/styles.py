"""The sources of a style: a painting, a style file, a seed, or a mix of several."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..base.choices import PSI
from ..base.files import checked_path, sha256_of
from ..models.codes import mix_styles
from ..models.style_file import read_style, style_fingerprint
from ..models.style_gan import StyleGAN
from ..pictures.reading import PictureError, read_picture
from ..pictures.tensors import as_tensor

logger = logging.getLogger(__name__)


class UnreadableError(ValueError):
    """A file cannot be read as a picture or a style; the message is one sentence for the user."""


class StyleSource(ABC):
    """A style before a network has seen it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """It becomes part of the names of the pictures in this style."""

    @abstractmethod
    def code(self, gan: StyleGAN, stroke_size: float = 1.0) -> Tensor:
        """The style code [1,L,D] on the device of `gan`.

        Raises UnreadableError for a file that cannot be read, ValueError for a style of another network's
        shape.
        """

    @property
    @abstractmethod
    def files(self) -> list[Path]:
        """All files of the style."""

    @abstractmethod
    def record(self) -> dict[str, object]:
        """The style in the settings of a painted picture, as JSON values; OSError if a file is missing."""

    def paintings(self) -> list[tuple[Path, float]] | None:
        """The paintings of the style, each with its weight; None if not all of it comes from paintings."""
        return None


@dataclass(frozen=True)
class _FileStyle(StyleSource):
    """The style of one file. Raises ValueError, one sentence, for what is no path."""

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", checked_path(self.path, "path"))

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def files(self) -> list[Path]:
        return [self.path]


class PaintingStyle(_FileStyle):
    """The style of a picture."""

    def code(self, gan: StyleGAN, stroke_size: float = 1.0) -> Tensor:
        picture = read_painting(self.path).to(_device(gan))
        return gan.encode_style(picture, stroke_size=stroke_size)

    def record(self) -> dict[str, object]:
        return {"painting": self.path.name, "sha256": sha256_of(self.path)}

    def paintings(self) -> list[tuple[Path, float]]:
        return [(self.path, 1.0)]


class SavedStyle(_FileStyle):
    """A style file; it holds numbers and no painting."""

    def code(self, gan: StyleGAN, stroke_size: float = 1.0) -> Tensor:
        style = read_style(self.path)
        if style.encoder is not None and style.encoder != style_fingerprint(gan):
            logger.warning(
                "%s was made with another network's style encoder, so the picture will not look like it; "
                "paint with the network that it was made with.",
                self.path.name,
            )
        return style.code[None].to(_device(gan))

    def record(self) -> dict[str, object]:
        return {"style_file": self.path.name, "sha256": sha256_of(self.path)}


@dataclass(frozen=True)
class RandomStyle(StyleSource):
    """A style that the network invents, as Sample Style does with the same seed."""

    seed: int
    psi: float = PSI

    @property
    def name(self) -> str:
        return f"random-{self.seed}"

    @property
    def files(self) -> list[Path]:
        return []

    def code(self, gan: StyleGAN, stroke_size: float = 1.0) -> Tensor:
        return gan.sample_style(self.seed, 1, self.psi).to(_device(gan))

    def record(self) -> dict[str, object]:
        return {"seed": self.seed, "psi": self.psi}


@dataclass(frozen=True)
class MixedStyle(StyleSource):
    """Several styles as one, each as much as its weight says; ValueError for weights that do not fit."""

    parts: tuple[StyleSource, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        # Check the weights as mixing does, before anything is read.
        mix_styles([torch.zeros(1, 1, 1)] * len(self.parts), self.weights)

    @property
    def name(self) -> str:
        return "+".join(part.name for part in self.parts)

    @property
    def files(self) -> list[Path]:
        return [path for part in self.parts for path in part.files]

    def code(self, gan: StyleGAN, stroke_size: float = 1.0) -> Tensor:
        return mix_styles([part.code(gan, stroke_size) for part in self.parts], self.weights)

    def record(self) -> dict[str, object]:
        parts = zip(self.parts, self.weights, strict=True)
        return {"mix": [part.record() | {"weight": weight} for part, weight in parts]}

    def paintings(self) -> list[tuple[Path, float]] | None:
        found = [part.paintings() for part in self.parts]
        shares: list[tuple[Path, float]] = []
        for part, weight in zip(found, self.weights, strict=True):
            if part is None:
                return None
            shares += [(path, share * weight) for path, share in part]
        return shares


def mixed(parts: Sequence[StyleSource], weights: Sequence[float] | None = None) -> MixedStyle:
    """The `parts` as one style, equal without `weights`. Raises ValueError for weights that do not fit."""
    return MixedStyle(tuple(parts), tuple(1.0 for _ in parts) if weights is None else tuple(weights))


def read_painting(path: Path) -> Tensor:
    """A painting as [1,3,h,w] in 0..1. Raises UnreadableError, one sentence, if it cannot be read."""
    try:
        return as_tensor(read_picture(path))
    except PictureError as error:
        raise UnreadableError(str(error)) from error


def _device(gan: StyleGAN) -> torch.device:
    return next(gan.parameters()).device
