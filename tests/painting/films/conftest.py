"""Films to paint."""

from __future__ import annotations

import pytest
from film_clips import film_frames, write_film

# Times of a film without a constant rate.
UNEVEN = (0, 700, 1700, 2700, 3400, 4400, 5400, 6100, 7100, 8100, 8800, 9800)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Two shots of 7 and 5 frames, 80x64, without a constant rate, with sound; never changed."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_film(path, film_frames(), UNEVEN)
