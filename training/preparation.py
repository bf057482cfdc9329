"""From folders, pixels and options to a run: what the node and the command do alike."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..models import StyleGAN, StyleGANConfig
from ..models.checkpoint import write_atomically
from .dataset import validation_split
from .options import TrainOptions
from .perceptual_hash import PerceptualHash, near_duplicates
from .picture_facts import UnreadablePictureError, file_facts, pixel_facts
from .pictures import Picture, picture_files
from .ranks import OneProcess
from .run import Run, RunFiles
from .trainer import Trainer

RECIPE_FILE = "recipe.json"
_DEMO_PICTURES = Path(__file__).resolve().parent.parent / "workflows" / "inputs"


@dataclass(frozen=True)
class PictureSet:
    """Pictures of one kind, parted into those to train on and those to validate on."""

    train: list[Picture]
    val: list[Picture]
    """May be empty: `Run` then scores training pictures."""
    digests: list[str]
    """Of all pictures, sorted; the same pictures under the same split share have the same."""
    skipped: list[str]
    """Files with a picture's ending that cannot be read, and why."""

    def describe(self, what: str) -> str:
        """One line, such as '20 paintings, 3 of them for validation'."""
        text = f"{len(self.train) + len(self.val)} {what}"
        if self.val:
            text += f", {len(self.val)} of them for validation"
        if self.skipped:
            text += f"; {len(self.skipped)} unreadable files skipped (first: {self.skipped[0]})"
        return text


@dataclass(frozen=True)
class _Known:
    """A picture, its name in the split, and what tells it from others."""

    picture: Picture
    name: str
    digest: str
    hash: PerceptualHash | None


def demo_photos() -> list[Path]:
    """The six photos that ship with the workflows: content for who has only paintings."""
    return sorted(_DEMO_PICTURES.glob("photo-*.jpg"))


def collect(
    what: str, folder: Path | None = None, pictures: Sequence[Picture] = (), share: float = 0.0
) -> PictureSet:
    """The readable pictures below `folder`, at any depth, and `pictures`, split for validation.

    The split goes by the names and keeps near-duplicates together, so it is the same in every run on
    these pictures; see `validation_split` for `share`. `what` is what to call them all in errors.
    Raises ValueError, one sentence, if the folder is missing or there is no picture.
    """
    paths = picture_files(folder) if folder is not None else []
    names = [path.relative_to(folder).as_posix() for path in paths]
    names += [p.name if isinstance(p, Path) else f"image {n}" for n, p in enumerate(pictures, 1)]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(_look_at, [*paths, *pictures], names))
    known = [item for item in found if isinstance(item, _Known)]
    if not known:
        place = f"The folder {folder} holds no {what} that can be read" if folder else f"There are no {what}"
        raise ValueError(f"{place}; give a folder of pictures, or a batch of images.")
    groups = near_duplicates([item.hash for item in known])
    train, val = validation_split([item.name for item in known], share, groups=groups)
    return PictureSet(
        [known[i].picture for i in train],
        [known[i].picture for i in val],
        sorted(item.digest for item in known),
        [item for item in found if isinstance(item, str)],
    )


def _look_at(picture: Picture, name: str) -> _Known | str:
    """What is known about the picture, or why it cannot be read."""
    try:
        facts = file_facts(picture, name) if isinstance(picture, Path) else pixel_facts(picture, name)
    except UnreadablePictureError as error:
        return f"{name}: {error}"
    return _Known(picture, name, facts.digest, facts.hash)


def sized(mode: str, resolution: int) -> dict[str, int]:
    """The options that bring all crops of `mode` to scale with photo crops of `resolution` pixels.

    >>> sized("style_code", 64)
    {'resolution': 64, 'late_resolution': 80, 'style_resolution': 88}
    """
    defaults = TrainOptions.for_mode(mode)
    sides = {"resolution": resolution}
    for name in ("late_resolution", "style_resolution"):
        factor = getattr(defaults, name) / defaults.resolution
        sides[name] = max(resolution, round(resolution * factor / 8) * 8)
    return sides


def recipe(
    options: TrainOptions, photos: PictureSet, paintings: PictureSet, start: StyleGAN | None
) -> dict[str, Any]:
    """What makes a run this run and no other, as JSON values; all but the number of steps."""
    settings = json.loads(json.dumps(options.as_dict()))
    settings.pop("steps")
    return {
        "options": settings,
        "content_pictures": photos.digests,
        "style_pictures": paintings.digests,
        "started_from": None if start is None else network_digest(start),
    }


def network_digest(gan: StyleGAN) -> str:
    """16 hexadecimal digits of the SHA-256 of all weights."""
    digest = hashlib.sha256()
    for name, value in sorted(gan.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def has_recipe(folder: Path, wanted: dict[str, Any]) -> bool:
    """Whether the run in `folder` is one of this recipe."""
    try:
        return json.loads((folder / RECIPE_FILE).read_text(encoding="utf-8")) == wanted
    except (OSError, ValueError):
        return False


def write_recipe(folder: Path, wanted: dict[str, Any]) -> None:
    """Mark `folder`, made if need be, as holding a run of this recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / RECIPE_FILE, json.dumps(wanted, indent=1).encode())


def open_run(
    options: TrainOptions,
    photos: PictureSet,
    paintings: PictureSet,
    files: RunFiles,
    start: StyleGAN | None = None,
    config: StyleGANConfig | None = None,
    device: torch.device | str = "cpu",
    say: Callable[[str], None] = lambda text: None,
    ranks: OneProcess | None = None,
    resume: bool = False,
    name: str = "",
    licence: str = "",
    save_minutes: float = 5.0,
    preview_every: int = 0,
) -> Run:
    """A run ready to train; with `resume` it goes on from the state in `files`.

    `start`, `config`, `device`, `say` and `ranks` are the `Trainer`'s, the rest are the `Run`'s.
    Raises CheckpointError or TrainingError, one sentence, where that cannot be.
    """
    trainer = Trainer(options, photos.train, paintings.train, config, device, say, start, ranks)
    interval = log_interval(options.steps)
    held_out = photos.val, paintings.val
    run = Run(trainer, files, *held_out, name, licence, save_minutes, interval, preview_every)
    if resume:
        run.resume()
        say(f"going on from step {trainer.step}")
    return run


def log_interval(steps: int) -> int:
    """Steps between two lines of the log: about a hundred lines in a short run, one in 50 in a long one."""
    return max(1, min(50, steps // 100))
