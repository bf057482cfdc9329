"""The pixel grid lies where the picture says: what is painted moves along when the photo is shifted."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.grid import grid_corner
from brushwork.models.noise import PlacedNoise
from brushwork.models.padding import pad_around
from brushwork.models.regions import StyleRegion, region_shares

# What the border does reaches inwards.
MARGIN = 32


def window(picture, down, right, height=128, width=160):
    return picture[..., down : down + height, right : right + width].contiguous()


def difference(a, b, down, right):
    """Mean of |a - b| in levels of 255 where both pictures show the same, b `down` and `right` of a."""
    height, width = a.shape[-2:]
    ours = a[..., down + MARGIN : height - MARGIN, right + MARGIN : width - MARGIN]
    theirs = b[..., MARGIN : height - down - MARGIN, MARGIN : width - right - MARGIN]
    return (ours - theirs).abs().mean().item() * 255


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (2, 3), (5, 7)])
def test_the_grid_moves_with_the_photo(scene, down, right):
    here, there = (grid_corner(window(scene, *place)) for place in ((0, 0), (down, right)))
    assert there.tolist() == ((here + torch.tensor([down, right])) % 4).tolist()


@pytest.mark.parametrize(("down", "right"), [(1, 2), (3, 1)])
def test_the_painting_of_a_shifted_photo_is_the_shifted_painting(gan, scene, artwork, down, right):
    code = gan.encode_style(artwork)

    def painted(place, corner=None):
        content = gan.encode_content(window(scene, *place), corner=corner)
        return gan.generate(content, code, noise=PlacedNoise(origin=place))

    following = difference(painted((0, 0)), painted((down, right)), down, right)
    same = torch.tensor([[0, 0]])
    fixed = difference(painted((0, 0), same), painted((down, right), same), down, right)
    assert following < 3
    assert following < 0.5 * fixed


def test_every_picture_of_a_batch_has_its_own_grid(scene, frozen_tiny):
    batch = torch.cat([window(scene, k, 2 * k) for k in range(4)])
    together = frozen_tiny.encode_content(batch)
    assert len({tuple(corner) for corner in together.corner.tolist()}) == 4
    code = frozen_tiny.sample_style(1)
    painted = frozen_tiny.generate(together, code)
    for i in range(4):
        alone = frozen_tiny.encode_content(batch[i : i + 1])
        assert torch.equal(alone.corner, together.corner[i : i + 1])
        torch.testing.assert_close(alone.fine, together.fine[i : i + 1], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(frozen_tiny.generate(alone, code), painted[i : i + 1], atol=5e-3, rtol=0)


def test_frames_can_share_a_grid(scene, frozen_tiny):
    batch = torch.cat([window(scene, k, 2 * k) for k in range(3)])
    content = frozen_tiny.encode_content(batch, corner=torch.tensor([[2, 1]]))
    assert content.corner.tolist() == [[2, 1]] * 3


@torch.no_grad()
def test_masks_lie_on_the_picture_and_not_on_its_border(scene, gan, artwork, photo):
    """Where a mask is 1 the picture is as the region's style paints it, up to what the seam does."""
    codes = gan.encode_style(artwork), gan.encode_style(photo)
    for k in range(4):
        content = gan.encode_content(window(scene, k, 0))
        mask = torch.zeros(1, 128, 160)
        mask[..., :80] = 1
        corner = tuple(content.corner[0].tolist())
        shares = region_shares([mask], content.size, tuple(content.fine.shape[-2:]), 4, corner)
        edge = (shares[16, :, 1] > 0.5).sum().item() * 4 - corner[1]
        assert abs(edge - 80) <= 2
        whole = gan.generate(content, codes[0], regions=[StyleRegion(codes[1], torch.ones(1, 128, 160))])
        assert torch.equal(whole, gan.generate(content, codes[1]))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (5, 40)])
def test_pictures_of_any_size(size, frozen_tiny):
    image = torch.rand(2, 3, *size)
    corner = grid_corner(image)
    assert corner.shape == (2, 2)
    assert ((corner >= 0) & (corner < 4)).all()
    content = frozen_tiny.encode_content(image)
    assert frozen_tiny.generate(content, frozen_tiny.sample_style(1)).shape == (2, 3, *size)


@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf")])
def test_pictures_that_say_nothing(value):
    assert ((grid_corner(torch.full((1, 3, 32, 32), value)) % 4) >= 0).all()


def test_half_precision_is_enough(scene):
    assert torch.equal(grid_corner(scene.half()), grid_corner(scene))


def test_the_border_reflects_the_picture():
    image = torch.arange(2 * 5 * 6.0).view(2, 1, 5, 6)
    padded = pad_around(image, torch.tensor([[1, 3], [0, 2]]), 3, 8)
    assert padded.shape == (2, 1, 16, 16)
    assert torch.equal(padded[0, 0, 1:6, 3:9], image[0, 0])
    assert torch.equal(padded[1, 0, :5, 2:8], image[1, 0])
    assert torch.equal(padded[0, 0, 0, 3:9], image[0, 0, 1])
    assert torch.equal(padded[0, 0, 1:6, :3], image[0, 0, :, 1:4].flip(-1))
