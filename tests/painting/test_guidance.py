"""Which places of photos and paintings count as plain."""

from __future__ import annotations

import pytest
import torch
from emulated_device import emulated_device
from torch import Tensor

from brushwork.painting.guidance import painting_plainness, photo_plainness, split


@pytest.fixture
def half_plain(photo) -> Tensor:
    """[1,3,96,192]: an even ground on the left, a photo on the right."""
    photo = photo[..., :96, :96]
    return torch.cat([torch.full_like(photo, 0.4), photo], 3)


@pytest.mark.parametrize("plainness", [photo_plainness, painting_plainness])
def test_an_even_ground_is_plain_up_to_the_outline(plainness, half_plain):
    plain = plainness(half_plain)
    assert plain.shape == (1, 1, 96, 192)
    assert float(plain[..., :90].min()) > 0.95
    assert float(plain[..., 96:].mean()) < 0.5


def test_a_dim_photo_is_seen_like_a_bright_one(half_plain):
    bright, dim = photo_plainness(half_plain), photo_plainness(0.4 * half_plain)
    assert float((bright - dim).abs().mean()) < 0.15


def test_a_photo_without_contrast_is_plain_and_a_busy_one_is_not(texture):
    assert float(photo_plainness(torch.full((1, 3, 64, 64), 0.3)).min()) == 1
    assert float(photo_plainness(texture(1, 3, 64, 64)).mean()) < 0.1


def test_a_busy_painting_has_a_plainest_part(texture):
    share = float(painting_plainness(texture(1, 3, 128, 128)).mean())
    assert 0.15 < share < 0.4


@pytest.mark.parametrize("plainness", [photo_plainness, painting_plainness])
def test_the_size_does_not_matter(plainness, half_plain):
    large = torch.nn.functional.interpolate(half_plain, (528, 1056), mode="bilinear")
    found = torch.nn.functional.interpolate(plainness(large), (96, 192), mode="area")
    # A window of a small picture is some pixels and not a share of them.
    assert float((found - plainness(half_plain)).abs().mean()) < 0.1


@pytest.mark.parametrize("plainness", [photo_plainness, painting_plainness])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (16, 16), (700, 20)])
def test_every_size_has_plainness(plainness, size, texture):
    pictures = texture(2, 3, *size).float()
    plain = plainness(pictures)
    assert plain.shape == (2, 1, *size)
    assert 0 <= float(plain.min()) <= float(plain.max()) <= 1
    # A picture of a batch is seen as if it were alone.
    assert torch.equal(plain[1:], plainness(pictures[1:]))


def test_parts_of_regions_have_the_regions_sums(texture, half_plain):
    plain = photo_plainness(half_plain)
    shares = torch.rand(2, 3, 96, 192)
    parts = split(shares, plain)
    assert parts.shape == (2, 6, 96, 192)
    assert torch.allclose(parts[:, 0::2] + parts[:, 1::2], shares)
    assert torch.equal(parts[:, 0], shares[:, 0] * plain[:, 0])
    assert torch.equal(split(None, plain), torch.cat([plain, 1 - plain], 1))


@pytest.mark.parametrize("plainness", [photo_plainness, painting_plainness])
def test_a_gpu_without_means_over_unequal_cells_finds_the_same(plainness, texture):
    # Larger than contrast is measured at, and no multiple of that.
    picture = texture(1, 3, 300, 311).float()
    with emulated_device() as device:
        found = plainness(picture.to(device)).cpu()
    torch.testing.assert_close(found, plainness(picture))
