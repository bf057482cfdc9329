"""More paintings than ship: what the shipped network paints in random styles."""

from __future__ import annotations

from pathlib import Path

import torch

from brushwork.models import StyleGAN
from brushwork.pictures.tensors import as_picture, load_square


@torch.inference_mode()
def many_paintings(gan: StyleGAN, photos: list[Path], folder: Path, count: int = 120) -> list[Path]:
    """`count` files of 96 pixels a side."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = [gan.encode_content(load_square(path, 96)) for path in photos]
    made = []
    for i, code in enumerate(gan.sample_style(3, count, 1.0).split(1)):
        made.append(folder / f"{i:03d}.png")
        as_picture(gan.generate(contents[i % len(contents)], code, seed=i)[0]).save(made[-1])
    return made
