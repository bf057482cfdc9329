"""What a checkpoint says about its training: options, pictures, licence, thumbnail. Never a path."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import torch
from PIL import Image

from ...dataset.picture_facts import PictureFacts
from ...models.thumbnail import encode_thumbnail


def picture_records(pictures: Sequence[PictureFacts]) -> list[dict[str, str]]:
    """For every picture its name, without folders, and the first 16 hexadecimal digits of its SHA-256.

    Networks of version 0.2.0 and before have these digits under "sha256"; nothing reads them again.
    """
    return [{"name": PurePosixPath(facts.name).name, "sha256_start": facts.digest[:16]} for facts in pictures]


def training_record(
    options: dict[str, Any],
    photos: list[dict[str, str]],
    paintings: list[dict[str, str]],
    ancestor: dict[str, Any] | None,
    licence: str,
) -> dict[str, Any]:
    """The parts of the record that stay the same through a run; JSON values.

    The record of the network that the run started from is kept without its list of pictures: after ten
    generations, the lists would be larger than the weights.
    """
    kept = ("steps", "samples", "options", "name", "licence")
    return {
        "options": options,
        "content_pictures": photos,
        "style_pictures": paintings,
        "started_from": None if ancestor is None else {k: ancestor[k] for k in kept if k in ancestor},
        "licence": licence,
        "torch": torch.__version__,
    }


def header_thumbnail(picture: Image.Image) -> str:
    """`picture`, at most 160 px and 12 kB, as JPEG in base64: fits into a checkpoint's header."""
    return base64.b64encode(encode_thumbnail(picture)).decode()
