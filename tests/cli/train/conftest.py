"""A run of `brushwork train` that takes seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small_pictures import small_copies
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of an untrained network that is fast."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    StyleGAN(TINY).save(path)
    return path


@pytest.fixture
def folders(
    inputs_dir: Path, tiny: Path, tmp_path: Path, small_validation: None, slim_loss_network: None
) -> list[str]:
    """Arguments for a run of seconds: two photos and two paintings to train on, one of each to validate."""
    table: dict[str, dict[str, list[str]]] = {}
    for kind in ("photo", "art"):
        small_copies(sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:3], tmp_path / kind)
        names = sorted(f"{kind}/{p.name}" for p in (tmp_path / kind).iterdir())
        table[kind] = {"train": names[1:], "val": names[:1], "test": []}
    (tmp_path / "split.json").write_text(json.dumps(table))
    return [
        *("train", "--content", str(tmp_path / "photo"), "--style", str(tmp_path / "art")),
        *("--split", str(tmp_path / "split.json"), "--out", str(tmp_path / "run"), "--init", str(tiny)),
        *("--steps", "2", "--batch-size", "1", "--resolution", "32", "--late-resolution", "32"),
        *("--style-resolution", "32", "--variants", "1", "--loss-dtype", "float32"),
        *("--content-scale", "40", "64", "--adversarial-from", "0.5", "--identity-share", "0"),
    ]
