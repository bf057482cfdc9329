"""What the tests of the quality benchmark share: small pictures, real networks."""

from __future__ import annotations

import pytest
import torch

from benchmarks.peers import RememberingBrushwork, Setup
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.pairs import Pair
from benchmarks.quality.scoring import Scorer
from brushwork.models.perception.extractors import VggFeatures

SIZE = 80


@pytest.fixture(scope="session")
def ours():
    """The shipped network. It remembers pictures; tests must not change it."""
    return RememberingBrushwork(Setup(threads=1))


@pytest.fixture(scope="session")
def pairs(inputs_dir):
    """Two photos with two paintings each."""
    photos = [inputs_dir / f"photo-{name}.jpg" for name in ("portrait-astronaut", "animal-otters")]
    paintings = [inputs_dir / f"art-{name}.jpg" for name in ("vangogh-starry-night", "hokusai-great-wave")]
    return [Pair(photo, painting) for photo in photos for painting in paintings]


@pytest.fixture
def gallery(tmp_path):
    """An empty gallery of pictures of 80 pixels."""
    return Gallery(tmp_path / "cache", SIZE, Scorer("cpu", [VggFeatures(torch.device("cpu"))]), "cpu")
