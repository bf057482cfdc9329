"""What the tests of blind comparisons share: results of two systems, A in red and B in blue."""

from __future__ import annotations

from pathlib import Path

import pytest
from judged_results import BLUE, GOLD, GRAY, NAMES, RED, paint

from brushwork.evaluation.judging.sheets import Row, match_results


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Results of A, red PNGs, and of B, smaller blue ones in another format; photos and a painting."""
    for name in NAMES:
        paint(tmp_path / "first" / f"{name}.png", RED)
        paint(tmp_path / "second" / f"{name}.bmp", BLUE, (20, 15))
        paint(tmp_path / "photos" / f"{name.split('__')[1]}.png", GRAY)
    paint(tmp_path / "art" / "wave.png", GOLD)
    return tmp_path


@pytest.fixture
def rows(folders: Path) -> list[Row]:
    return match_results(*(folders / name for name in ("first", "second", "photos", "art")))
