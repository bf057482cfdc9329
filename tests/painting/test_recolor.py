"""Colours: the linear map to other moments, and what stays of the photo's."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.perception.statistics import color_moments
from brushwork.painting.colors import match_moments, moments_where, with_colors_of
from brushwork.painting.palette import match_palette
from brushwork.pictures.color import luminance_only


def test_moments_become_those_asked_for(texture):
    picture = 0.3 + 0.4 * texture(2, 3, 30, 40)
    wanted = 0.4 + 0.2 * texture(2, 3, 30, 40, seed=1) * torch.tensor([1.0, 0.5, 0.9])[:, None, None]
    mean, spread = color_moments(wanted)
    found_mean, found_spread = color_moments(match_moments(picture, mean, spread))
    assert torch.allclose(found_mean, mean, atol=1e-3)
    assert (found_spread - spread).norm() < 0.05 * spread.norm()


def test_a_picture_that_has_them_stays(texture):
    picture = 0.2 + 0.6 * texture(1, 3, 30, 40)
    assert torch.allclose(match_moments(picture, *color_moments(picture)), picture, atol=0.01)


def test_moments_of_a_part_are_those_of_its_pixels(texture):
    """A grey mask counts in part: twice a share is the same moments; a mask for all or one for each."""
    pictures = texture(2, 3, 30, 40)
    share = torch.zeros(1, 30, 40, dtype=pictures.dtype)
    share[:, :, :16] = 0.5
    found = moments_where(pictures, share)
    for of_part, wanted in zip(found, color_moments(pictures[..., :16]), strict=True):
        assert torch.allclose(of_part, wanted, atol=1e-6)
    of_each = moments_where(pictures, torch.cat([share, 1 - share]))
    assert torch.allclose(of_each[0][0], found[0][0])
    assert not torch.allclose(of_each[0][1], found[0][1])
    nothing = moments_where(pictures, 0 * share)
    assert all(torch.isfinite(each).all() for each in nothing)


def test_a_part_gets_the_moments_asked_for(texture):
    picture = 0.3 + 0.4 * texture(1, 3, 30, 40)
    share = torch.zeros(1, 30, 40, dtype=picture.dtype)
    share[:, :, :16] = 1
    wanted = color_moments(0.4 + 0.2 * texture(1, 3, 30, 40, seed=1))
    found = match_moments(picture, *wanted, own=moments_where(picture, share))
    assert torch.allclose(moments_where(found, share)[0], wanted[0], atol=1e-3)
    assert not torch.allclose(color_moments(found)[0], wanted[0], atol=1e-3)


def test_plain_pictures_get_the_color_and_no_noise(texture):
    plain = torch.full((1, 3, 16, 16), 0.2) + 1e-4 * texture(1, 3, 16, 16).float()
    wanted = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = match_moments(plain, *color_moments(wanted))
    assert torch.allclose(found.mean((2, 3)), wanted.mean((2, 3)), atol=0.01)
    assert float(found.std()) < 0.05


@pytest.mark.parametrize("height", [7, 300])
def test_rows_do_not_show_in_luminance(texture, height):
    photo, picture = texture(1, 3, height, 20), texture(1, 3, height, 20, seed=1)
    assert torch.allclose(with_colors_of(photo, picture, "luminance"), luminance_only(photo, picture))
    assert torch.equal(with_colors_of(photo, picture, "histogram"), match_palette(picture, photo))
    assert torch.equal(with_colors_of(photo, picture, "off"), picture)
