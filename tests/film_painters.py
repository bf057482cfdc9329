"""Painters of films for tests, and what they leave in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from brushwork.models.style_gan import StyleGAN
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.films.painter import FilmPainter
from brushwork.painting.stylizer import StylizeOptions

SETTINGS = {"film": "clip", "style": "a"}


def painters(gan: StyleGAN, code: Tensor) -> Callable[..., FilmPainter]:
    """Painters of films in one style."""

    def make(
        shots: Sequence[int], on_step: Callable[[str], object], steady: SteadyOptions | None = None
    ) -> FilmPainter:
        style = code, ()
        return FilmPainter(
            gan, shots, lambda i: style, StylizeOptions(), steady or SteadyOptions(), on_step=on_step
        )

    return make


def hidden_files(folder: Path) -> list[str]:
    """The names of those in `folder`."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
