"""Motion between two frames of real pictures, moved by known amounts."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.models.video.motion import FLOW_SIZE, enlarge, find_motion, warp, window_mean


def moved(scene, x, y):
    flow = torch.tensor([float(x), float(y)])[None, :, None, None].expand(1, 2, *scene.shape[-2:])
    return warp(scene, flow, mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("motion", [(1, 0), (0, -2), (2.5, 1.3), (-7, 4), (14, 0)])
def test_finds_how_far_the_frame_moved(scene, motion):
    flow, trust = find_motion(scene, moved(scene, *motion))
    inner = (slice(None), slice(None), slice(24, -24), slice(24, -24))
    error = (flow - torch.tensor(motion)[None, :, None, None]).norm(dim=1, keepdim=True)[inner]
    assert error.median() < 0.2
    assert trust[inner].mean() > 0.9
    # Where it is trusted it is right, or nothing is to be seen.
    left = (warp(scene, flow) - moved(scene, *motion)).abs().mean(1, keepdim=True)[inner]
    assert left[trust[inner] > 0.5].mean() < 0.03


def test_a_still_frame_does_not_move(scene):
    torch.manual_seed(0)
    noisy = [(scene + 2 / 255 * torch.randn_like(scene)).clamp(0, 1) for _ in range(2)]
    flow, trust = find_motion(scene, scene)
    assert torch.equal(flow, torch.zeros_like(flow))
    assert torch.equal(trust, torch.ones_like(trust))
    flow, trust = find_motion(*noisy)
    assert flow.norm(dim=1).mean() < 0.05
    assert trust.mean() > 0.99


def test_light_that_changes_is_no_motion(scene):
    flow, _ = find_motion(scene, scene * 0.9 + 0.02)
    assert flow.norm(dim=1).mean() < 0.1


def test_what_comes_into_view_is_not_trusted_and_the_rest_stands_still(scene, photo):
    thing = F.interpolate(photo, (48, 48), mode="area")
    before, after = scene.clone(), scene.clone()
    before[:, :, 60:108, 20:68] = thing
    after[:, :, 60:108, 140:188] = thing
    flow, trust = find_motion(before, after)
    changed = torch.zeros_like(trust)
    changed[:, :, 60:108, 20:68] = 1
    changed[:, :, 60:108, 140:188] = 1
    nearby = F.max_pool2d(changed, 33, stride=1, padding=16)
    assert trust[changed > 0].mean() < 0.2
    assert trust[nearby == 0].mean() > 0.99
    assert flow.norm(dim=1, keepdim=True)[nearby == 0].max() < 0.05


def test_a_cut_is_not_trusted(scene, photo):
    other = F.interpolate(photo, scene.shape[-2:], mode="area")
    assert find_motion(scene, other)[1].mean() < 0.1


def test_large_frames_are_searched_at_a_reduced_size(scene):
    large = F.interpolate(scene, (800, 1424), mode="bicubic").clamp(0, 1)
    flow, _ = find_motion(large, moved(large, 6, -3))
    assert max(flow.shape[-2:]) <= FLOW_SIZE
    found = enlarge(flow, (800, 1424))
    assert found.shape == (1, 2, 800, 1424)
    assert (found[:, :, 100:-100, 100:-100].mean((0, 2, 3)) - torch.tensor([6.0, -3.0])).abs().max() < 0.5


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 2), (17, 16)])
def test_frames_of_any_size(size):
    before, after = torch.rand(2, 1, 3, *size)
    flow, trust = find_motion(before, after)
    assert flow.shape == (1, 2, *size)
    assert trust.shape == (1, 1, *size)
    assert flow.isfinite().all()
    assert ((trust >= 0) & (trust <= 1)).all()


def test_no_motion_fetches_the_picture_itself(scene):
    still = torch.zeros(1, 2, *scene.shape[-2:])
    for mode in ("bilinear", "bicubic"):
        assert torch.allclose(warp(scene, still, mode), scene, atol=1e-4)


@pytest.mark.parametrize("size", [(2, 3, 40, 57), (1, 1, 5, 3), (1, 3, 1, 9), (1, 1, 1, 1)])
@pytest.mark.parametrize("side", [3, 7, 11])
def test_the_mean_of_a_window_counts_only_what_lies_in_the_picture(size, side):
    x = torch.rand(size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    kept, near = x.clone(), side // 2
    mean = window_mean(x, side)
    for row in range(size[2]):
        for column in range(size[3]):
            window = x[:, :, max(0, row - near) : row + near + 1, max(0, column - near) : column + near + 1]
            torch.testing.assert_close(mean[:, :, row, column], window.mean((2, 3)))
    assert torch.equal(x, kept)
