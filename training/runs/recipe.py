"""A run's recipe: it identifies the run, so that a node finds the run to go on with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ...base.files import write_atomically
from ...base.text_files import read_json
from ...dataset.collection import PictureSet
from ...models import StyleGAN
from ..options import TrainOptions
from .files import RECIPE_FILE


def recipe(
    options: TrainOptions, photos: PictureSet, paintings: PictureSet, start: StyleGAN | None
) -> dict[str, Any]:
    """The values that identify a run, as JSON: everything except the number of steps."""
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
        return bool(read_json(folder / RECIPE_FILE) == wanted)
    except ValueError:
        return False


def write_recipe(folder: Path, wanted: dict[str, Any]) -> None:
    """Mark `folder` as holding a run of this recipe; creates it if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / RECIPE_FILE, json.dumps(wanted, indent=1).encode())
