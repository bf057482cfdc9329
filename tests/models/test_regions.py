"""Masks: soft edges, who rules where, and that one style alone paints as if there were no masks."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from emulated_device import emulated_device

from brushwork.models import strips
from brushwork.models.regions import StyleRegion, feather_mask, pooled_shares, region_shares


@pytest.fixture(autouse=True)
def _without_gradients():
    """Regions are for inference, whose arithmetic differs from training's in the last digits."""
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def codes(gan, artwork):
    """Two very different styles, [1,L,D] each."""
    return gan.encode_style(artwork), gan.sample_style(seed=3, psi=1.0)


def half(height, width):
    """White on the right half."""
    mask = torch.zeros(1, height, width)
    mask[:, :, width // 2 :] = 1
    return mask


@pytest.mark.parametrize("strength", [1.0, 0.6])
@pytest.mark.parametrize("white", [0.0, 1.0])
@pytest.mark.parametrize("size", [(64, 48), (57, 131), (5, 3)])
def test_a_style_that_covers_everything_paints_as_without_masks(gan, photo, codes, size, white, strength):
    content = gan.encode_content(photo[:, :, : size[0], : size[1]])
    mask = feather_mask(torch.full((1, *content.size), white), 9)
    regions = [StyleRegion(codes[1], mask)]
    plain = gan.generate(content, codes[int(white)], strength)
    assert torch.equal(gan.generate(content, codes[0], strength, regions=regions), plain)


def test_a_style_that_covers_almost_everything_paints_almost_as_without_masks(gan, photo, codes):
    """With one cell left to the other, all goes through the masks' arithmetic."""
    content = gan.encode_content(photo[:, :, :96, :128])
    mask = torch.ones(1, 96, 128)
    mask[:, :4, :4] = 0
    painted = gan.generate(content, codes[0], regions=[StyleRegion(codes[1], mask)])
    difference = (painted - gan.generate(content, codes[1])).abs()
    assert difference[..., 64:, 64:].max() < 0.02
    assert difference[..., :4, :4].max() > 0.05


def test_the_same_style_in_all_regions_leaves_no_seam(gan, photo, codes):
    content = gan.encode_content(photo)
    mask = feather_mask(half(*content.size), 20)
    painted = gan.generate(content, codes[0], regions=[StyleRegion(codes[0], mask)])
    torch.testing.assert_close(painted, gan.generate(content, codes[0]), atol=1e-4, rtol=0)


def test_each_side_looks_like_its_own_style(gan, photo, codes):
    content = gan.encode_content(photo)
    mask = half(*content.size)
    painted = gan.generate(content, codes[0], regions=[StyleRegion(codes[1], mask)])
    ours, theirs = (gan.generate(content, code) for code in codes)
    quarter = content.size[1] // 4
    for columns, near, far in ((slice(0, quarter), ours, theirs), (slice(-quarter, None), theirs, ours)):
        to_near = (painted - near)[..., columns].abs().mean()
        assert to_near < 0.5 * (painted - far)[..., columns].abs().mean()


def test_painting_regions_in_strips_is_painting_them(monkeypatch, gan, photo, codes):
    content = gan.encode_content(photo[:, :, :121, :90])
    regions = [StyleRegion(codes[1], feather_mask(half(121, 90), 12))]
    whole = gan.generate(content, codes[0], regions=regions)
    monkeypatch.setattr(strips, "STRIP_BYTES", 3_000)
    assert torch.allclose(gan.generate(content, codes[0], regions=regions), whole, atol=2e-4)


def test_batches_pair_up(frozen_tiny):
    photos = torch.rand(3, 3, 24, 40)
    codes, over, masks = frozen_tiny.sample_style(1, 3), frozen_tiny.sample_style(2, 3), torch.rand(3, 24, 40)
    painted = frozen_tiny.generate(
        frozen_tiny.encode_content(photos), codes, regions=[StyleRegion(over, masks)]
    )
    for i in range(3):
        content = frozen_tiny.encode_content(photos[[i]])
        alone = frozen_tiny.generate(content, codes[[i]], regions=[StyleRegion(over[[i]], masks[[i]])])
        torch.testing.assert_close(painted[[i]], alone, atol=1e-4, rtol=1e-4)


def test_one_photo_with_a_batch_of_masks(frozen_tiny):
    content, masks = frozen_tiny.encode_content(torch.rand(1, 3, 24, 40)), torch.rand(2, 24, 40)
    a, b = frozen_tiny.sample_style(1, 2).split(1)
    assert frozen_tiny.generate(content, a, regions=[StyleRegion(b, masks)]).shape == (2, 3, 24, 40)


def test_what_does_not_match_is_refused(frozen_tiny):
    content, code = frozen_tiny.encode_content(torch.rand(2, 3, 16, 16)), frozen_tiny.sample_style(1)
    with pytest.raises(ValueError, match="in batches of 2 and 3"):
        frozen_tiny.generate(content, code, regions=[StyleRegion(code, torch.rand(3, 16, 16))])
    with pytest.raises(ValueError, match=r"The style code is \(2, 24\)"):
        frozen_tiny.generate(content, code, regions=[StyleRegion(code[:, :2], torch.rand(1, 16, 16))])


def test_shares_sum_to_one_and_later_masks_lie_on_top():
    generator = torch.Generator().manual_seed(0)
    masks = [torch.rand(1, 20, 30, generator=generator) for _ in range(3)]
    masks[2][:, :8, :8] = 1
    masks[1][:, 16:, 24:] = 0
    shares = region_shares(masks, (20, 30), (5, 8), 4)
    assert shares.shape == (5, 8, 4)
    torch.testing.assert_close(shares.sum(-1), torch.ones(5, 8))
    assert shares[:2, :2].flatten(0, 1).tolist() == [[0, 0, 0, 1]] * 4
    assert (shares[4:, 6:, 2] == 0).all()


def test_wider_maps_have_the_means_of_the_shares():
    torch.manual_seed(0)
    shares = region_shares([torch.rand(1, 40, 24) for _ in range(2)], (40, 24), (10, 6), 4)
    for side, cells in ((1, (10, 6)), (2, (5, 3)), (4, (3, 2)), (8, (2, 1))):
        pooled = pooled_shares(shares, side, cells)
        assert pooled.shape == (*cells, 3)
        torch.testing.assert_close(pooled.sum(-1), torch.ones(cells))
    torch.testing.assert_close(pooled_shares(shares, 2, (5, 3))[1, 2], shares[2:4, 4:6].mean((0, 1)))
    assert torch.equal(pooled_shares(shares, 1, (10, 6)), shares)


def test_a_hidden_style_shows_in_no_map():
    """Its mask and the one over it end in one cell of the widest map."""
    under, over = torch.zeros(2, 1, 32, 64)
    under[..., :34] = 1
    over[..., :44] = 1
    shares = region_shares([under, over], (32, 64), (8, 16), 4)
    for side in (1, 2, 4, 8):
        pooled = pooled_shares(shares, side, (8 // side, 16 // side))
        assert (pooled[..., 1] == 0).all()
    assert 0 < pooled[0, 1, 2] < 1


def test_where_no_mask_is_the_background_rules():
    shares = region_shares([torch.zeros(1, 16, 16)] * 2, (16, 16), (4, 4), 4)
    assert (shares[..., 0] == 1).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (40, 21)])
def test_masks_of_any_size_are_stretched_over_the_picture(size):
    shares = region_shares([torch.ones(1, *size)], (24, 40), (6, 10), 4)
    assert (shares[..., 1] == 1).all()
    right = region_shares([half(12, 20)], (24, 40), (6, 10), 4)[..., 1]
    torch.testing.assert_close(right.mean(), torch.tensor(0.5), atol=0.02, rtol=0)
    assert (right[:, :4] == 0).all()
    assert (right[:, 6:] == 1).all()


def test_feathering_makes_a_ramp_of_that_width():
    soft = feather_mask(half(64, 64), 16)
    assert soft.shape == (1, 64, 64)
    row = soft[0, 30]
    assert row.tolist() == sorted(row.tolist())
    assert row[32 - 8] < 0.04 < row[32 - 5] < 0.5 < row[32 + 4] < 0.96 < row[32 + 7]
    assert row[:18].max() < 1e-5
    assert row[46:].min() > 1 - 1e-5


def test_feathering_leaves_borders_and_empty_masks():
    for value in (0.0, 1.0):
        flat = torch.full((1, 3, 5), value)
        torch.testing.assert_close(feather_mask(flat, 40), flat)
    mask = half(8, 8)
    assert torch.equal(feather_mask(mask, 0), mask)


@pytest.mark.parametrize("feather", [-1.0, math.nan, math.inf])
def test_feather_must_be_a_length(feather):
    with pytest.raises(ValueError, match=rf"feather is {feather}; give a number of pixels, 0 or more\."):
        feather_mask(half(4, 4), feather)


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_masks_and_codes_on_the_cpu_go_to_the_network(frozen_tiny, photo, strength):
    photo = photo[:, :, :48, :64]
    codes = frozen_tiny.encode_style(photo), frozen_tiny.encode_style(photo.flip(1))
    regions = [StyleRegion(codes[1], half(48, 64)), StyleRegion(codes[0], half(48, 64).flip(2) * 0.3)]
    on_cpu = frozen_tiny.generate(frozen_tiny.encode_content(photo), codes[0], strength, regions=regions)
    with emulated_device() as device:
        gan = copy.deepcopy(frozen_tiny).to(device)
        content = gan.encode_content(photo.to(device))
        there = [regions[0].to(device), regions[1].to(device)]
        # Masks alone are elsewhere, then regions, then all styles.
        for code, over in (
            (codes[0].to(device), [StyleRegion(there[0].code, regions[0].mask), there[1]]),
            (codes[0].to(device), regions),
            (codes[0], regions),
        ):
            painted = gan.generate(content, code, strength, regions=over)
            assert painted.device == device
            assert torch.allclose(painted.cpu(), on_cpu, atol=1e-5)
