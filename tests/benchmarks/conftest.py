"""What the tests of the benchmarks share."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory):
    """A real checkpoint of a narrow, untrained network."""
    path = tmp_path_factory.mktemp("checkpoint") / "narrow.safetensors"
    StyleGAN(TINY).save(path)
    return path


@pytest.fixture
def data(tmp_path, inputs_dir):
    """A folder laid out like the training data, its test split one photo and two paintings."""
    root = tmp_path / "data"
    split = {
        "content": {"train": [], "test": ["content/photo-portrait-astronaut.jpg"]},
        "style": {"test": ["style/art-vangogh-starry-night.jpg", "style/art-hokusai-great-wave.jpg"]},
    }
    for kind in split:
        (root / kind).mkdir(parents=True)
        for name in split[kind]["test"]:
            shutil.copy(inputs_dir / Path(name).name, root / name)
    (root / "split.json").write_text(json.dumps(split))
    return root
