"""What comes back of the first picture: fine detail, contrast, and light, dark and colours in masses."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting import calm_grounds, first_picture
from brushwork.painting.first_picture import (
    with_first_contrast,
    with_first_detail,
    with_first_masses,
    with_first_where_unlike,
    without_new_marks,
)
from brushwork.pictures.color import luma

# Of `photo`, without the borders.
LEAVES, WALL = (..., slice(8, 88), slice(8, 48)), (..., slice(8, 88), slice(84, 120))


def fine(picture):
    return picture - F.avg_pool2d(picture, 9, 1, 4, count_include_pad=False)


def strokes(picture):
    """Without grain."""
    return F.avg_pool2d(picture, 7, 1, 3, count_include_pad=False)


def marks(picture):
    """What is wider than grain and narrower than masses."""
    return strokes(picture) - F.avg_pool2d(picture, 21, 1, 10, count_include_pad=False)


@pytest.fixture
def photo(texture):
    """Leaves on the left, a plain wall on the right."""
    photo = torch.full((1, 3, 96, 128), 0.6)
    photo[..., :64] = texture(1, 3, 96, 64).float()
    return photo


def test_detail_comes_back_where_it_was_lost(texture, photo):
    """Where the photo is plain, the first picture's detail is grain; half as much of it comes back."""
    first = 0.3 + 0.4 * texture(1, 3, 96, 128, seed=1).float()
    picture = F.avg_pool2d(first, 9, 1, 4, count_include_pad=False)

    def come_back(amount, where):
        found = with_first_detail(picture, first, photo, amount)
        gained = fine(found - picture)[where] * fine(first)[where]
        return float(gained.sum() / fine(first)[where].square().sum())

    assert come_back(0.0, LEAVES) == 0
    assert 0.7 < come_back(1.0, LEAVES) < 0.95
    assert come_back(0.5, LEAVES) == pytest.approx(come_back(1.0, LEAVES) / 2, rel=0.1)
    assert 0.15 < come_back(1.0, WALL) < 0.35


def test_detail_of_strokes_stays(texture, photo):
    """Where the picture has as much contrast as the first one, half of that one's detail comes to its own,
    and both are as strong as one."""
    first, picture = (0.3 + 0.4 * texture(1, 3, 96, 128, seed=seed).float() for seed in (1, 2))
    found = fine(with_first_detail(picture, first, photo, 1.0))[LEAVES]
    firsts, own = fine(first)[LEAVES], fine(picture)[LEAVES]
    assert float((found * firsts).sum() / firsts.square().sum()) == pytest.approx(0.5, abs=0.1)
    assert float((found * own).sum() / own.square().sum()) == pytest.approx(0.87, abs=0.1)
    assert float(found.square().mean() / own.square().mean()) == pytest.approx(1, abs=0.1)
    alone = fine(with_first_detail(picture, first, photo, 2.0))[LEAVES]
    assert float((alone - firsts).abs().mean()) < 0.3 * float((found - firsts).abs().mean())


def test_sand_becomes_weaker(texture, photo):
    """Where the first picture is smoother, and by the amount; wider marks stay."""
    first = strokes(0.3 + 0.4 * texture(1, 3, 96, 128, seed=1).float())
    picture = (first + 0.3 * (texture(1, 3, 96, 128, seed=2).float() - 0.5)).clamp(0, 1)

    def left(amount):
        found = with_first_detail(picture, first, photo, amount)
        return float(
            fine(found - first)[LEAVES].square().mean() / fine(picture - first)[LEAVES].square().mean()
        )

    assert left(0.0) == pytest.approx(1)
    assert left(0.5) > left(1.0) + 0.1
    assert left(1.0) < 0.4


def test_contrast_grows_to_the_first_pictures(texture, photo):
    """By 1.5 at most, less on plain grounds, and never down; light and dark in the mean stay, and grain."""
    first = strokes(0.3 + 0.4 * texture(1, 3, 96, 128, seed=1).float())
    middle = first.mean((2, 3), keepdim=True)

    def grown(share):
        picture = torch.lerp(middle, first, share)
        found = with_first_contrast(picture, first, photo)
        assert float((found - picture).mean().abs()) < 0.01
        return [
            float((marks(found)[where].square().sum() / marks(picture)[where].square().sum()).sqrt())
            for where in (LEAVES, WALL)
        ]

    assert grown(1.0) == pytest.approx([1, 1], abs=0.01)
    assert grown(0.8)[0] == pytest.approx(1 / 0.8, abs=0.03)
    assert grown(0.3)[0] == pytest.approx(1.5, abs=0.07)
    assert grown(0.3)[1] == pytest.approx(1.15, abs=0.05)
    stronger = torch.lerp(middle, first, 1.2)
    assert float((with_first_contrast(stronger, first, photo) - stronger).abs().max()) < 1e-4


def test_regions_get_contrast_of_their_own(texture):
    first, photo = (strokes(0.3 + 0.4 * texture(1, 3, 96, 128, seed=seed).float()) for seed in (1, 2))
    middle, right = first.mean((2, 3), keepdim=True), torch.zeros(1, 1, 96, 128)
    right[..., 64:] = 1
    picture = torch.lerp(middle, first, 1 - 0.2 * right)
    found = with_first_contrast(picture, first, photo, torch.cat([1 - right, right], 1))
    before, after = (marks(each - first)[..., 76:-4].abs().mean() for each in (picture, found))
    assert float(after) < 0.6 * float(before)
    assert float(marks(found - first)[..., :52].abs().mean()) < 0.1 * float(before)


def test_colors_of_the_picture_stay(texture, photo):
    first, picture = 0.7 + 0.2 * texture(1, 3, 96, 128, seed=1).float(), torch.full((1, 3, 96, 128), 0.3)
    found = with_first_detail(picture, first, photo, 1.0)
    assert float((found - picture).mean((2, 3)).abs().max()) < 0.01


@pytest.mark.parametrize("size", [(96, 128), (1201, 1003)], ids=str)
def test_masses_come_back_and_marks_stay(texture, size):
    """Colours most, light less, and more on plain grounds than elsewhere; in large pictures masses are found
    in a smaller one, whose last cells are parts."""
    height, width = size
    photo = torch.full((1, 3, height, width), 0.6)
    photo[..., : width // 2] = texture(1, 3, height, width // 2).float()
    marks = 0.05 * (texture(1, 3, height, width, seed=1).float() - 0.5)
    picture, first = 0.4 + marks, torch.tensor([0.7, 0.6, 0.2]).view(1, 3, 1, 1).expand_as(marks)
    found = with_first_masses(picture, first, photo, 0.5)
    leaves, wall = slice(width // 8, width * 3 // 8), slice(width * 3 // 4, width * 7 // 8)
    light = float(luma(first).mean()) - 0.4
    for where, of_light, share in ((leaves, 0.25, 0.6), (wall, 0.4, 0.6)):
        change = (found - picture)[..., where].mean((0, 2, 3))
        wanted = of_light * light + share * (first[0, :, 0, 0] - 0.4 - light)
        assert torch.allclose(change, wanted, atol=0.02)
        stayed = (fine(found) - fine(picture))[..., 8:-8, where]
        assert float(stayed.abs().mean()) < 0.1 * float(fine(picture)[..., 8:-8, where].abs().mean())
    assert torch.equal(with_first_masses(picture, first, photo, 0.0), picture)
    everything = with_first_masses(picture, first, photo, 2.0)
    assert torch.allclose(everything.mean((2, 3)), first.mean((2, 3)), atol=0.01)


@pytest.mark.parametrize("times", [1, 3])
def test_marks_that_the_first_picture_has_not_go(texture, monkeypatch, times):
    """From the smooth right half; on the left the first picture is as lively, and the picture's own marks
    stay. In a large picture marks are larger."""

    monkeypatch.setattr(first_picture, "_MASS_SIDE", 166)

    def lively(seed):
        blotches = texture(1, 3, 48, 64, seed=seed).float()
        return F.interpolate(0.3 + 0.4 * blotches, scale_factor=3 * times, mode="bilinear")

    picture, first = lively(1), lively(2)
    width = picture.shape[-1]
    left, right = (..., slice(width // 2 - 30 * times)), (..., slice(width // 2 + 30 * times, width))
    first[..., width // 2 :] = 0.5
    found = without_new_marks(picture, first, 1.0)

    def marks(picture):
        fine, wide = (F.avg_pool2d(picture, side * times, 1, side * times // 2) for side in (5, 21))
        return (fine - wide)[..., 30 * times : -30 * times, :][right]

    assert float(marks(found).std()) < 0.75 * float(marks(picture).std())
    assert float((found - picture)[left].abs().mean()) < 0.25 * float((found - picture)[right].abs().mean())
    assert torch.equal(without_new_marks(picture, first, 0.0), picture)


def test_what_is_like_nothing_in_the_paintings_comes_back(texture):
    """Softly, and by the amount."""
    first, picture = (texture(1, 3, 96, 128, seed=seed).float() for seed in (1, 2))
    likeness = torch.full((1, 1, 12, 16), 0.9)
    likeness[..., 8:] = 0.6
    for amount, share in ((0.5, 0.425), (1.0, 0.85)):
        found = with_first_where_unlike(picture, first, likeness, (48, 64), amount)
        assert torch.equal(found[..., :16], picture[..., :16])
        assert torch.allclose(found[..., 104:], torch.lerp(picture, first, share)[..., 104:], atol=1e-3)
    moved = (found - picture)[0].abs().mean((0, 1)) / (first - picture)[0].abs().mean((0, 1))
    assert float((moved[1:] - moved[:-1]).abs().max()) < 0.06
    assert torch.equal(with_first_where_unlike(picture, first, likeness, (48, 64), 0.0), picture)


@pytest.mark.parametrize("width", [128, 129, 193, 257])
def test_it_comes_back_in_its_place(width):
    """Also where the last places are parts: here of half the picture, as refining compares it."""
    seen = -(-width // 2)
    places = -(-seen // 4)
    likeness = torch.ones(1, 1, places, places)
    likeness[..., places - 8] = 0
    nothing, everything = torch.zeros(1, 3, width, width), torch.ones(1, 3, width, width)
    found = with_first_where_unlike(nothing, everything, likeness, (seen, seen), 1.0)[0, 0, width // 2]
    middle = float((found * (torch.arange(width) + 0.5)).sum() / found.sum())
    assert middle == pytest.approx((places - 7.5) * 4 * width / seen, abs=0.5)


@pytest.mark.parametrize("back", [with_first_detail, with_first_contrast], ids=lambda back: back.__name__)
def test_strips_are_the_picture(texture, monkeypatch, back):
    photo, first, picture = (0.2 + 0.5 * texture(1, 3, 1100, 40, seed=seed).float() for seed in range(3))
    picture = 0.3 + 0.4 * picture
    amount = (1.0,) if back is with_first_detail else ()
    strips = back(picture, first, photo, *amount)
    monkeypatch.setattr(calm_grounds, "_ROWS", 2000)
    assert float((strips - back(picture, first, photo, *amount)).abs().max()) < 1e-4


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (17, 9)], ids=str)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_one_coloured_pictures_stay(size, value):
    plain = torch.full((1, 3, *size), value)
    assert torch.equal(with_first_detail(plain, plain, plain, 1.0), plain)
    assert torch.equal(with_first_contrast(plain, plain, plain), plain)
    assert torch.allclose(without_new_marks(plain, plain, 1.0), plain, atol=1e-5)
