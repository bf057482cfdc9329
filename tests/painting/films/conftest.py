"""Films to paint, and painters of them that take no time."""

from __future__ import annotations

import pytest
import torch
from film_clips import film_frames, write_film
from film_painters import painters
from tiny_network import TINY

from brushwork.models.style_gan import StyleGAN
from brushwork.painting.films import paint

# Times of a film without a constant rate.
UNEVEN = (0, 700, 1700, 2700, 3400, 4400, 5400, 6100, 7100, 8100, 8800, 9800)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Two shots of 7 and 5 frames, 80x64, without a constant rate, with sound; never changed."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_film(path, film_frames(), UNEVEN)


@pytest.fixture(scope="session")
def frozen_tiny():
    """Untrained and narrow: most tests here are not about looks. Shared: tests must not change it."""
    torch.manual_seed(0)
    return StyleGAN(TINY).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def code(frozen_tiny, artwork):
    with torch.inference_mode():
        return frozen_tiny.encode_style(artwork)


@pytest.fixture(scope="session")
def painter_of(frozen_tiny, code):
    return painters(frozen_tiny, code)


@pytest.fixture
def small_segments(monkeypatch):
    monkeypatch.setattr(paint, "_SEGMENT", 2)
