"""What a network paints with more work, as lessons for one that paints in one pass."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from small_pictures import small_copies

from brushwork.models import StyleGAN
from brushwork.painting.calm_grounds import plain_places
from brushwork.painting.fine_contrast import fine_detail
from brushwork.training.crop_pool import CropPool, CropRule
from scripts import one_pass_lessons
from scripts.one_pass_lessons import Teacher, styles_of


def test_a_lesson_of_strength_0_is_the_photo_itself(teacher: Teacher, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(one_pass_lessons, "MIXED", 0.0)
    monkeypatch.setattr(one_pass_lessons, "WEAKER", 0.0)
    monkeypatch.setattr(one_pass_lessons, "PLAIN", 1.0)
    for lesson in teacher.lessons():
        assert torch.equal(lesson.picture, lesson.photo)


def test_a_lesson_has_the_fine_contrast_of_its_painting_and_no_more(
    teacher: Teacher, monkeypatch: pytest.MonkeyPatch
):
    for share in ("MIXED", "WEAKER", "PLAIN"):
        monkeypatch.setattr(one_pass_lessons, share, 0.0)

    def energy(contrast: float) -> float:
        torch.manual_seed(4)
        monkeypatch.setattr(teacher, "_traits", torch.full((2, 3), contrast))
        monkeypatch.setattr(teacher, "_random", random.Random(5))
        return sum(float(fine_detail(each.picture[None] / 255).square().mean()) for each in teacher.lessons())

    assert energy(0.0) > 1.3 * energy(-20.0) > 0


def test_calm_lessons_differ_where_the_photo_is_plain(
    woven_gan: StyleGAN, photos: list[Path], tmp_path: Path
):
    pool = CropPool(small_copies(photos, tmp_path / "content")[:2], CropRule(48, 64, 96), 1, 3)
    codes = woven_gan.encode_style(torch.rand(2, 3, 64, 64))
    torch.manual_seed(4)
    how = {"lesson": "calm", "batch": 2, "seed": 17}
    still = Teacher(woven_gan, pool, codes, torch.full((2, 3), -16.0), **how)
    torch.manual_seed(4)
    calm = still.lessons()
    torch.manual_seed(4)
    lively = Teacher(woven_gan, pool, codes, torch.zeros(2, 3), **how).lessons()
    for one, other in zip(calm, lively, strict=True):
        assert torch.equal(one.photo, other.photo)
        change = (one.picture.float() - other.picture.float()).abs().mean(0)
        plain = plain_places(one.photo[None] / 255)[0, 0]
        changed, kept = (float(change[places].mean()) for places in (plain > 0.5, plain < 0.05))
        assert changed > 5 * kept


def test_firm_lessons_have_the_colours_of_the_painting(
    woven_gan: StyleGAN,
    photos: list[Path],
    paintings: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    for share in ("MIXED", "WEAKER", "PLAIN"):
        monkeypatch.setattr(one_pass_lessons, share, 0.0)
    pool = CropPool(small_copies(photos, tmp_path / "content")[:2], CropRule(64, 64, 96), 1, 3)
    codes, traits = styles_of(woven_gan, paintings[:2])

    def off(lesson: str) -> float:
        """How far mean and deviations of the colours of lessons are from those of their paintings."""
        torch.manual_seed(4)
        made = Teacher(woven_gan, pool, codes, traits, lesson=lesson, batch=4, seed=17).lessons()
        found = []
        for each in made:
            own = int((codes - each.code).square().sum((1, 2)).argmin())
            colors = each.picture.float().flatten(1) / 255
            mean, deviation = traits[own, 3:6], traits[own, 6:].view(3, 3).diagonal().sqrt()
            found += [(colors.mean(1) - mean).abs().mean(), (colors.std(1) - deviation).abs().mean()]
        return float(torch.stack(found).mean())

    assert off("firm") < 0.6 * off("calm")
