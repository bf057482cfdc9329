"""Fine detail of the first picture comes back where the photo has texture."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.first_detail import with_first_detail


def fine(picture):
    return picture - F.avg_pool2d(picture, 9, 1, 4, count_include_pad=False)


@pytest.fixture
def photo(texture):
    """Leaves on the left, a plain wall on the right."""
    photo = torch.full((1, 3, 96, 128), 0.6)
    photo[..., :64] = texture(1, 3, 96, 64).float()
    return photo


def test_detail_comes_back_by_the_amount_but_not_on_plain_grounds(texture, photo):
    first = 0.3 + 0.4 * texture(1, 3, 96, 128, seed=1).float()
    picture = F.avg_pool2d(first, 9, 1, 4, count_include_pad=False)
    leaves, wall = (..., slice(8, 88), slice(8, 48)), (..., slice(8, 88), slice(84, 120))

    def come_back(amount):
        found = with_first_detail(picture, first, photo, amount)
        assert float((found - picture)[wall].abs().max()) < 0.02
        gained = fine(found - picture)[leaves] * fine(first)[leaves]
        return float(gained.sum() / fine(first)[leaves].square().sum())

    assert come_back(0.0) == 0
    assert come_back(1.0) > 0.7
    assert come_back(0.5) == pytest.approx(come_back(1.0) / 2, rel=0.05)


def test_colors_of_the_picture_stay(texture, photo):
    first, picture = 0.7 + 0.2 * texture(1, 3, 96, 128, seed=1).float(), torch.full((1, 3, 96, 128), 0.3)
    found = with_first_detail(picture, first, photo, 1.0)
    assert float((found - picture).mean((2, 3)).abs().max()) < 0.01


def test_strips_are_the_picture(texture):
    photo, first, picture = (texture(1, 3, 1100, 40, seed=seed).float() for seed in range(3))
    whole = with_first_detail(picture, first, photo, 1.0)
    part = with_first_detail(picture[:, :, 440:640], first[:, :, 440:640], photo[:, :, 440:640], 1.0)
    assert whole.shape == picture.shape
    assert float((whole[:, :, 480:600] - part[:, :, 40:160]).abs().max()) < 1e-4
