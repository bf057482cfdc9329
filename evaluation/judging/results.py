"""Paints pairs of a photo and a painting into a folder, for comparisons."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ...base.files import write_atomically
from ...models.style_gan import StyleGAN
from ...pictures.reading import read_picture
from ...pictures.tensors import as_picture, as_tensor, resize_shorter


def result_name(number: int, content: Path, style: Path) -> str:
    """The name of a result, without the ending, by which its photo and its painting are found again.

    >>> result_name(7, Path("photos/lake.jpg"), Path("art/wave.png"))
    '007__lake__wave'
    """
    return f"{number:03d}__{short_stem(content)}__{short_stem(style)}"


def short_stem(path: Path) -> str:
    """The file's name without its ending, cut so that two fit into one name on every file system."""
    return path.stem[:80]


@torch.inference_mode()
def paint_pairs(
    gan: StyleGAN,
    pairs: Sequence[tuple[Path, Path]],
    folder: Path,
    side: int,
    progress: Callable[[], None] | None = None,
) -> list[Path]:
    """Paint each photo in the style of its painting and write it to `folder` as PNG.

    Photo and painting keep their proportions; their shorter sides are brought to `side` pixels. Calls
    `progress` after each. Returns the files, named by `result_name` with numbers from 1.
    """
    device = next(gan.parameters()).device
    files = []
    for number, (content, style) in enumerate(pairs, 1):
        photo, painting = (
            as_tensor(resize_shorter(read_picture(path), side)).to(device) for path in (content, style)
        )
        data = io.BytesIO()
        as_picture(gan.stylize(photo, painting)[0]).save(data, "PNG")
        files.append(folder / f"{result_name(number, content, style)}.png")
        write_atomically(files[-1], data.getvalue())
        if progress:
            progress()
    return files
