"""A video's noise moves along with what it shows."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.noise import PlacedNoise
from brushwork.models.video.carried_noise import CarriedNoise
from brushwork.models.video.motion import warp
from brushwork.models.video.steady import SteadyVideo

CPU = torch.device("cpu")
HEIGHT, WIDTH = 128, 192


def fine(noise, corner=(0, 0), stride=4):
    size = (HEIGHT // stride, WIDTH // stride)
    return noise.maps(stride, 2, size, torch.tensor([corner]), CPU)


def flow_of(x, y, height=HEIGHT, width=WIDTH):
    return torch.tensor([float(x), float(y)])[None, :, None, None].expand(1, 2, height, width).contiguous()


def trusted(flow):
    """As much as `find_motion` would: not where the flow leads out of the frame."""
    height, width = flow.shape[-2:]
    x, y = torch.arange(width) + flow[0, 0], torch.arange(height)[:, None] + flow[0, 1]
    return ((x >= 0) & (x < width) & (y >= 0) & (y < height)).float()[None, None]


def start(seed=3):
    return CarriedNoise.first(seed, torch.zeros(1, 3, HEIGHT, WIDTH))


@pytest.mark.parametrize("corner", [(0, 0), (3, 1)])
@pytest.mark.parametrize("stride", [4, 32])
def test_the_first_frame_has_the_noise_of_a_still_picture(corner, stride):
    placed = PlacedNoise((3,)).maps(
        stride, 2, (HEIGHT // stride, WIDTH // stride), torch.tensor([corner]), CPU
    )
    assert torch.equal(fine(start(), corner, stride), placed)
    still = start().carried(flow_of(0, 0), torch.ones(1, 1, HEIGHT, WIDTH))
    assert torch.equal(fine(still, corner, stride), placed)


def test_it_moves_with_the_picture_and_comes_in_from_beyond_the_edge():
    flow = flow_of(8, -4)
    noise = start()
    for _ in range(3):
        noise = noise.carried(flow, trusted(flow))
    beyond = PlacedNoise((3,), origin=(-12, 24)).maps(
        4, 2, (HEIGHT // 4, WIDTH // 4), torch.zeros(1, 2, dtype=torch.long), CPU
    )
    assert torch.equal(fine(noise), beyond)
    assert torch.equal(fine(noise)[..., 3:, :-6], fine(start())[..., :-3, 6:])


def test_slow_motion_adds_up():
    """No step is as large as half a cell, and the noise moves all the same."""
    flow, noise = flow_of(0.5, 0), start()
    for _ in range(16):
        noise = noise.carried(flow, trusted(flow))
    assert torch.equal(fine(noise)[..., :-2], fine(start())[..., 2:])


def test_carried_again_and_again_it_keeps_its_variance():
    torch.manual_seed(0)
    noise = start()
    for _ in range(40):
        wave = torch.sin(torch.linspace(0, 6, WIDTH)) * torch.rand(1)
        flow = torch.stack([wave.expand(HEIGHT, -1), torch.full((HEIGHT, WIDTH), 0.3)])[None]
        noise = noise.carried(flow, trusted(flow))
    found = fine(noise)
    assert found.var().item() == pytest.approx(1, abs=0.1)
    assert (found[..., 1:] * found[..., :-1]).mean().abs() < 0.25


def test_what_comes_into_view_moves_with_most_of_the_frame():
    """The camera follows a thing: the place behind it must not repeat itself."""
    flow = flow_of(4, 0)
    flow[..., 40:80, 80:120] = 0
    trust = trusted(flow)
    trust[..., 36:84, 116:126] = 0
    noise = start()
    for _ in range(12):
        noise = noise.carried(flow, trust)
    rest = PlacedNoise((3,), origin=(0, 48)).maps(
        4, 2, (HEIGHT // 4, WIDTH // 4), torch.zeros(1, 2, dtype=torch.long), CPU
    )
    assert torch.equal(fine(noise)[..., 9:21, 33:], rest[..., 9:21, 33:])
    assert torch.equal(fine(noise)[..., 12:18, 22:28], fine(start())[..., 12:18, 22:28]), "the thing's own"


def test_a_cut_begins_anew():
    moved = start().carried(flow_of(9, 9), trusted(flow_of(9, 9)))
    assert not torch.equal(fine(moved), fine(start()))
    after = moved.carried(flow_of(40, 0), torch.zeros(1, 1, HEIGHT, WIDTH))
    assert torch.equal(fine(after), fine(start()))


def test_motion_may_be_found_in_a_smaller_frame():
    flow = flow_of(4, 2, HEIGHT // 2, WIDTH // 2)
    noise = start().carried(flow, trusted(flow))
    assert torch.equal(fine(noise)[..., :-1, :-2], fine(start())[..., 1:, 2:])


@torch.inference_mode()
def test_strokes_on_a_plain_ground_move_along_with_a_panned_scene(gan, scene, artwork):
    """Following at all: with the noise held still, the strokes stay where they are on the screen."""
    code = gan.encode_style(artwork)
    frames = [warp(scene, flow_of(8 * i, 0, *scene.shape[-2:]), mode="bicubic").clamp(0, 1) for i in range(3)]
    video = SteadyVideo(gan, len(frames), statistics="frame", follow=0.01)
    moved = [video.paint(i, frame, code) for i, frame in enumerate(frames)]
    held = [gan.generate(gan.encode_content(frame), code) for frame in frames]

    def change(painted):
        return (painted[2][..., 32:-64] - painted[0][..., 48:-48]).abs().mean()

    assert change(moved) < 0.9 * change(held)


def test_the_seed_is_the_videos(frozen_tiny, photo, artwork):
    code = frozen_tiny.encode_style(artwork)
    painted = [SteadyVideo(frozen_tiny, 1, seed=seed).paint(0, photo, code) for seed in (0, 1)]
    assert torch.allclose(
        painted[1], frozen_tiny.generate(frozen_tiny.encode_content(photo), code, seed=1), atol=1e-4
    )
    assert (painted[0] - painted[1]).abs().max() > 1e-3
    with pytest.raises(ValueError, match=r"seed is -1; give a whole number"):
        SteadyVideo(frozen_tiny, 1, seed=-1)
