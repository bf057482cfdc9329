"""What comes back of the first picture: fine detail, and light, dark and colours in masses."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.first_picture import with_first_detail, with_first_masses
from brushwork.pictures.color import luma


def fine(picture):
    return picture - F.avg_pool2d(picture, 9, 1, 4, count_include_pad=False)


@pytest.fixture
def photo(texture):
    """Leaves on the left, a plain wall on the right."""
    photo = torch.full((1, 3, 96, 128), 0.6)
    photo[..., :64] = texture(1, 3, 96, 64).float()
    return photo


def test_detail_comes_back_by_the_amount_and_half_of_it_on_plain_grounds(texture, photo):
    first = 0.3 + 0.4 * texture(1, 3, 96, 128, seed=1).float()
    picture = F.avg_pool2d(first, 9, 1, 4, count_include_pad=False)
    leaves, wall = (..., slice(8, 88), slice(8, 48)), (..., slice(8, 88), slice(84, 120))

    def come_back(amount, where):
        found = with_first_detail(picture, first, photo, amount)
        gained = fine(found - picture)[where] * fine(first)[where]
        return float(gained.sum() / fine(first)[where].square().sum())

    assert come_back(0.0, leaves) == 0
    assert come_back(1.0, leaves) > 0.7
    assert come_back(0.5, leaves) == pytest.approx(come_back(1.0, leaves) / 2, rel=0.05)
    assert come_back(1.0, wall) == pytest.approx(come_back(1.0, leaves) / 2, rel=0.1)


def test_colors_of_the_picture_stay(texture, photo):
    first, picture = 0.7 + 0.2 * texture(1, 3, 96, 128, seed=1).float(), torch.full((1, 3, 96, 128), 0.3)
    found = with_first_detail(picture, first, photo, 1.0)
    assert float((found - picture).mean((2, 3)).abs().max()) < 0.01


@pytest.mark.parametrize("size", [(96, 128), (1201, 1003)], ids=str)
def test_masses_come_back_and_marks_stay(texture, size):
    """Most of the way on plain grounds, elsewhere light half of the way and colours less; in large pictures
    masses are found in a smaller one, whose last cells are parts."""
    height, width = size
    photo = torch.full((1, 3, height, width), 0.6)
    photo[..., : width // 2] = texture(1, 3, height, width // 2).float()
    marks = 0.05 * (texture(1, 3, height, width, seed=1).float() - 0.5)
    picture, first = 0.4 + marks, torch.tensor([0.7, 0.6, 0.2]).view(1, 3, 1, 1).expand_as(marks)
    found = with_first_masses(picture, first, photo, 1.0)
    leaves, wall = slice(width // 8, width * 3 // 8), slice(width * 3 // 4, width * 7 // 8)
    light = float(luma(first).mean()) - 0.4
    for where, of_light, share in ((leaves, 0.5, 0.3), (wall, 0.8, 0.8)):
        change = (found - picture)[..., where].mean((0, 2, 3))
        wanted = of_light * light + share * (first[0, :, 0, 0] - 0.4 - light)
        assert torch.allclose(change, wanted, atol=0.02)
        stayed = (fine(found) - fine(picture))[..., 8:-8, where]
        assert float(stayed.abs().mean()) < 0.1 * float(fine(picture)[..., 8:-8, where].abs().mean())
    assert torch.equal(with_first_masses(picture, first, photo, 0.0), picture)


def test_strips_are_the_picture(texture):
    photo, first, picture = (texture(1, 3, 1100, 40, seed=seed).float() for seed in range(3))
    whole = with_first_detail(picture, first, photo, 1.0)
    part = with_first_detail(picture[:, :, 440:640], first[:, :, 440:640], photo[:, :, 440:640], 1.0)
    assert whole.shape == picture.shape
    assert float((whole[:, :, 480:600] - part[:, :, 40:160]).abs().max()) < 1e-4
