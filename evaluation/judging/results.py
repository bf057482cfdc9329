"""Paints pairs of a photo and a painting into a folder, for comparisons."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ...base.files import safe_file_name, write_atomically
from ...base.temporary import cut_name
from ...models.style_gan import StyleGAN
from ...pictures.reading import opened_picture, read_picture
from ...pictures.tensors import as_picture, as_tensor, resize_shorter
from .errors import JudgeError

# Bytes as UTF-8: two such names, a number and an ending stay below the 255 of most file systems.
_LONGEST_STEM = 100

# How many times longer than wide a picture may be: the shorter side is brought to some hundred pixels.
_LONGEST = 12


def result_name(number: int, content: Path, style: Path) -> str:
    """The name of a result, without the ending, by which its photo and its painting are found again.

    >>> result_name(7, Path("photos/lake.jpg"), Path("art/wave.png"))
    '007__lake__wave'
    """
    return f"{number:03d}__{short_stem(content)}__{short_stem(style)}"


def short_stem(path: Path) -> str:
    """The file's name without its ending, safe and so short that two fit into one name on every system.

    >>> len(short_stem(Path("海" * 80 + ".png")).encode())
    99
    """
    return safe_file_name(cut_name(path.stem[:80], _LONGEST_STEM))


def paintable_pairs(pairs: Sequence[tuple[Path, Path]]) -> tuple[list[tuple[Path, Path]], list[str]]:
    """The pairs that `paint_pairs` can paint, and a sentence on each picture that is too long for it.

    Raises JudgeError if no pair is left, and PictureError for a file that is no picture.
    """
    problems = {path: _too_long(path) for path in dict.fromkeys(path for pair in pairs for path in pair)}
    told = [problem for problem in problems.values() if problem]
    good = [pair for pair in pairs if not any(problems[path] for path in pair)]
    if not good:
        raise JudgeError(*told)
    return good, told


def _too_long(path: Path) -> str:
    with opened_picture(path) as image:
        longer, shorter = max(image.size), min(image.size)
    if longer <= _LONGEST * shorter:
        return ""
    return f"{path} has {longer} x {shorter} pixels, which is too long for a sheet; crop it."


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
