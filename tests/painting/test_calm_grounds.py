"""Plain grounds as calm as the calm places of the painting."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.calm_grounds import (
    Calm,
    calm_of,
    plain_places,
    with_calm_grounds,
    without_marks_on_plain_grounds,
)
from brushwork.painting.objective import Mixture


def of(*pictures, weights=None):
    return Mixture(pictures, weights or [1 / len(pictures)] * len(pictures))


@pytest.fixture
def busy(texture):
    """Strokes of a few pixels, as a painting that has no calm place."""
    return F.interpolate(texture(1, 3, 24, 32).float(), scale_factor=4, mode="bicubic").clamp(0, 1)


@pytest.fixture
def half_plain(texture):
    """A photo: a plain wall on the left, leaves on the right."""
    photo = torch.full((1, 3, 96, 128), 0.6)
    photo[..., 64:] = texture(1, 3, 96, 64).float()
    return photo


def unrest(picture):
    return float((picture - F.avg_pool2d(picture, 25, 1, 12, count_include_pad=False)).std())


def test_stains_leave_a_plain_wall_and_leaves_stay(half_plain, busy):
    painted = 0.7 * half_plain + 0.3 * busy
    calmed = with_calm_grounds(painted, half_plain, calm_of([of(torch.full_like(busy, 0.5))]))
    assert unrest(calmed[..., 8:40]) < 0.3 * unrest(painted[..., 8:40])
    assert float((calmed - painted)[..., 88:].abs().max()) < 0.02
    # The wall keeps its colour; 0.05 is what the mean of a few stains varies by.
    assert float((calmed - painted)[..., 8:40].mean((2, 3)).abs().max()) < 0.05


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
def test_marks_leave_plain_grounds_by_the_amount(half_plain, busy, amount):
    painted = 0.7 * half_plain + 0.3 * busy
    smooth = without_marks_on_plain_grounds(painted, half_plain, amount)
    found = unrest(smooth[..., 8:40]) / unrest(painted[..., 8:40])
    assert found == pytest.approx(1 - amount, abs=0.2)
    assert float((smooth - painted)[..., 88:].abs().max()) < 0.02
    # In strips as in one piece.
    tall = [each.repeat(1, 1, 12, 1) for each in (painted, half_plain)]
    strips = without_marks_on_plain_grounds(*tall, amount)
    assert strips.shape == tall[0].shape
    assert float((strips[:, :, 480:560] - strips[:, :, 96 * 7 - 96 : 96 * 7 - 16]).abs().max()) < 0.05


def test_a_painting_without_a_calm_place_keeps_its_strokes(half_plain, busy):
    painted = 0.9 * half_plain + 0.1 * busy
    calmed = with_calm_grounds(painted, half_plain, calm_of([of(busy)]))
    assert unrest(calmed[..., 8:40]) > 0.9 * unrest(painted[..., 8:40])


def test_plain_is_what_the_photo_says(half_plain):
    plain = plain_places(half_plain)
    assert float(plain[..., :40].min()) > 0.95
    assert float(plain[..., 88:].max()) < 0.05


def test_an_amount_for_each_picture(half_plain, busy):
    photos, painted = half_plain.expand(2, -1, -1, -1), (0.7 * half_plain + 0.3 * busy).expand(2, -1, -1, -1)
    calm = Calm(*torch.zeros(2, 1, 1))
    calmed = with_calm_grounds(painted, photos, calm, amount=torch.tensor([0.0, 1.0]))
    assert torch.equal(calmed[0], painted[0])
    assert torch.allclose(calmed[1:], with_calm_grounds(painted[1:], photos[1:], calm), atol=1e-5)


def test_regions_and_weights(half_plain, busy):
    plain = torch.full_like(busy, 0.5)
    found = calm_of([of(busy, plain, weights=[0.25, 0.75]), of(plain)])
    own = calm_of([of(busy)])
    assert float(found.strokes[0, 0]) == pytest.approx(0.25 * float(own.strokes), rel=1e-3)
    assert float(found.grain[0, 0]) == pytest.approx(0.25 * float(own.grain), rel=1e-3)
    assert float(found.strokes[0, 1]) < 1e-6
    # Above, the strokes of a lively painting stay; below, there are none.
    shares = torch.zeros(1, 2, 96, 128)
    shares[:, 0, :48], shares[:, 1, 48:] = 1, 1
    painted = 0.9 * half_plain + 0.1 * busy
    lively = Calm(*(torch.tensor([[1.0, 0.0]]) for _ in range(2)))
    calmed = with_calm_grounds(painted, half_plain, lively, shares)
    assert unrest(calmed[..., 8:40, 8:40]) > 0.9 * unrest(painted[..., 8:40, 8:40])
    assert unrest(calmed[..., 56:88, 8:40]) < 0.5 * unrest(painted[..., 56:88, 8:40])


def test_rows_one_after_the_other_are_the_picture(photo):
    tall = photo.repeat(1, 1, 9, 1)[..., :1101, :90]
    painted = (tall + 0.1 * torch.sin(torch.arange(1101.0) / 5)[:, None]).clamp(0, 1)
    calm = Calm(*torch.full((2, 1, 1), 0.01))
    whole = with_calm_grounds(painted, tall, calm)
    part = with_calm_grounds(painted[:, :, 300:760], tall[:, :, 300:760], calm)
    assert float((whole[:, :, 400:660] - part[:, :, 100:360]).abs().max()) < 1e-4


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 3), (16, 5)], ids=str)
def test_every_size(size, texture):
    picture = texture(2, 3, *size).float()
    result = with_calm_grounds(picture, picture.flip(0), calm_of([of(picture[:1])]))
    assert result.shape == picture.shape
    assert bool(torch.isfinite(result).all())
