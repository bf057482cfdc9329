"""Folders of pictures: finding them, reading them, splitting them, cutting crops out of them.

How pictures are prepared is decided here and nowhere else. `upright_rgb`: 8 bits, turned as shown,
transparency over white; colour profiles are not applied. `random_crop`: scaled in proportion, bicubic, to
a shorter side drawn between two bounds on a log scale; a square cut anywhere; half of them mirrored.
`CropPool.batch`: float32 in 0..1, from which no mean is taken: the loss network subtracts its own.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

SPLITS = ("train", "val", "test")

# What Pillow raises on damaged files: OSError, and whatever its decoders stumble over.
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, RuntimeError,
    struct.error, Image.DecompressionBombError,
)  # fmt: skip

# A picture to train on: a file, or RGB pixels that a node was given.
Picture = Path | Image.Image


@dataclass
class PictureFolder:
    """What a folder holds: the readable pictures, sorted, and how many files were not."""

    root: Path
    paths: list[Path]
    skipped: list[Path] = field(default_factory=list)

    @classmethod
    def scan(cls, root: str | os.PathLike[str]) -> PictureFolder:
        """All pictures below `root`, at any depth, in any format that Pillow reads.

        A file that has a picture's ending but does not decode is skipped and listed. Raises
        ValueError, one sentence, when the folder is missing or holds no readable picture.
        """
        root = Path(root)
        candidates = picture_files(root)
        with ThreadPoolExecutor(_decoders()) as pool:
            readable = list(pool.map(_decodes, candidates))
        found = [p for p, ok in zip(candidates, readable, strict=True) if ok]
        skipped = [p for p, ok in zip(candidates, readable, strict=True) if not ok]
        if not found:
            raise ValueError(f"The folder {root} holds no picture that can be read.")
        return cls(root, found, skipped)

    def split(self, name: str, split_file: str | os.PathLike[str] | None = None) -> list[Path]:
        """The pictures of 'train', 'val' or 'test': 80, 10 and 10 in 100.

        By SHA-256 of the path below the folder, so a picture stays where it is when others come or
        go; or as `split_file` says (JSON: {folder name: {"train": [path below its parent, …], …}}).
        """
        if name not in SPLITS:
            raise ValueError(f"split is '{name}'; choose one of {', '.join(SPLITS)}.")
        if split_file is None:
            return [p for p in self.paths if hash_split(p.relative_to(self.root).as_posix()) == name]
        with open(split_file, encoding="utf-8") as file:
            table = json.load(file)
        try:
            members = set(table[self.root.name][name])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{split_file} has no entry '{self.root.name}' with a '{name}' list.") from error
        return [p for p in self.paths if p.relative_to(self.root.parent).as_posix() in members]

    def describe(self) -> str:
        """One line: what was found and what was skipped."""
        text = f"{self.root.name}: {len(self.paths)} pictures"
        if self.skipped:
            text += f", {len(self.skipped)} unreadable files skipped (first: {self.skipped[0].name})"
        return text


def picture_files(root: Path) -> list[Path]:
    """The files below `root`, at any depth, that have a picture's ending; sorted, not opened.

    Raises ValueError, one sentence, when the folder is missing.
    """
    if not root.is_dir():
        raise ValueError(f"There is no folder {root}; give the folder that holds the pictures.")
    endings = {e for e, name in Image.registered_extensions().items() if name in Image.OPEN}
    return sorted(p for p in root.rglob("*") if p.suffix.lower() in endings and p.is_file())


def hash_split(key: str) -> str:
    """'train', 'val' or 'test' for a path, the same on every machine.

    >>> [hash_split(f"monet/{i}.jpg") for i in range(6)]
    ['train', 'train', 'train', 'train', 'test', 'train']
    """
    bucket = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 100
    return "train" if bucket < 80 else "val" if bucket < 90 else "test"


def read_picture(path: str | os.PathLike[str]) -> Image.Image:
    """A picture, of an animation the first frame, as `upright_rgb` makes it.

    Raises one of `DAMAGE`, most often OSError, when it cannot be decoded.
    """
    with Image.open(path) as image:
        image.load()
        return upright_rgb(image)


def upright_rgb(image: Image.Image) -> Image.Image:
    """A decoded picture as 8-bit RGB, turned as its EXIF data says, transparency over white."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits, which Pillow's own conversion would clip to white
        levels = np.asarray(image).astype(np.int64).clip(0, 65535) >> 8
        image = Image.fromarray(levels.astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def open_picture(picture: Picture) -> Image.Image:
    """A file read with `read_picture`; pixels as they are."""
    return picture if isinstance(picture, Image.Image) else read_picture(picture)


def to_tensor(image: Image.Image) -> Tensor:
    """PIL RGB -> uint8 [3,H,W]."""
    return torch.from_numpy(np.array(image, dtype=np.uint8)).permute(2, 0, 1)


def resize_shorter(image: Image.Image, shorter: int) -> Image.Image:
    """In proportion, so that the shorter side has `shorter` pixels."""
    scale = shorter / min(image.size)
    size = [max(shorter, round(side * scale)) for side in image.size]
    if tuple(size) == image.size:
        return image
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)


@dataclass(frozen=True)
class CropRule:
    """Random square crops of `side` pixels from a picture whose shorter side is brought to a random
    length between `shorter_min` and `shorter_max` first; half of them mirrored."""

    side: int
    shorter_min: int
    shorter_max: int

    def __post_init__(self) -> None:
        if not 16 <= self.side <= self.shorter_min <= self.shorter_max:
            raise ValueError(
                f"A crop of {self.side} px needs pictures of {self.shorter_min} to {self.shorter_max} px; "
                "let side be 16 or more, then shorter_min, then shorter_max."
            )


def random_crop(image: Image.Image, rule: CropRule, rng: np.random.Generator) -> Tensor:
    """One crop of `image` by `rule`, uint8 [3,side,side]."""
    log_range = math.log(rule.shorter_min), math.log(rule.shorter_max)
    image = resize_shorter(image, round(math.exp(rng.uniform(*log_range))))
    left = int(rng.integers(0, image.width - rule.side + 1))
    top = int(rng.integers(0, image.height - rule.side + 1))
    image = image.crop((left, top, left + rule.side, top + rule.side))
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    return to_tensor(image)


class CropPool:
    """`variants` crops of every picture, decoded once and kept as uint8 [N,3,side,side].

    Two cores cannot decode JPEGs and train; a pool costs a minute at the start of a round and
    nothing after, and what is computed from a crop can be kept beside it. Crop k of picture i in
    round r depends on (seed, r, i, k) alone, so a resumed run sees the same pixels.
    """

    def __init__(
        self, pictures: Sequence[Picture], rule: CropRule, variants: int, seed: int, round_: int = 0
    ):
        self.crops = torch.empty(len(pictures) * variants, 3, rule.side, rule.side, dtype=torch.uint8)

        def fill(index: int) -> None:
            image = open_picture(pictures[index])
            for k in range(variants):
                rng = np.random.default_rng((seed, round_, index, k))
                self.crops[index * variants + k] = random_crop(image, rule, rng)

        with ThreadPoolExecutor(_decoders()) as pool:
            list(pool.map(fill, range(len(pictures))))

    def __len__(self) -> int:
        return len(self.crops)

    def move(self, device: torch.device) -> None:
        """Keep the crops on `device`, so that no batch has to be fetched."""
        self.crops = self.crops.to(device)

    def batch(self, indices: Tensor, device: torch.device) -> Tensor:
        """Crops [B,3,side,side], float32 in 0..1, channels last."""
        crops = self.crops[indices.to(self.crops.device)].to(device).to(memory_format=torch.channels_last)
        return crops.float() / 255


def batch_indices(step: int, batch: int, length: int, seed: int) -> Tensor:
    """Which items step number `step` sees: every epoch is a new permutation of 0..length-1.

    A function of its arguments alone, so a sampler needs no state beyond the step.

    >>> batch_indices(0, 4, 4, seed=1).sort().values.tolist()
    [0, 1, 2, 3]
    """
    positions = torch.arange(step * batch, (step + 1) * batch)
    indices = torch.empty(batch, dtype=torch.long)
    for epoch in torch.unique(positions // length).tolist():
        generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
        permutation = torch.randperm(length, generator=generator)
        here = positions // length == epoch
        indices[here] = permutation[positions[here] % length]
    return indices


def _decodes(path: Path) -> bool:
    try:
        read_picture(path)
    except DAMAGE:
        return False
    return True


def _decoders() -> int:
    return min(8, os.cpu_count() or 1)
