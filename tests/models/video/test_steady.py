"""Videos hold still where they should and change where they must."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.base.choices import STATISTICS
from brushwork.models.regions import StyleRegion
from brushwork.models.video.steady import Follower, SteadyVideo

pytestmark = pytest.mark.usefixtures("_inference")


@pytest.fixture
def _inference():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def portrait(photo):
    """The photo at half its size, for what does not depend on the looks."""
    return F.avg_pool2d(photo, 2)


def steady(gan, frames, code, regions=(), **settings):
    video = SteadyVideo(gan, len(frames), **settings)
    for i in video.frames_to_read:
        video.read(frames[i : i + 1], code, regions)
    return torch.cat([video.paint(i, frame, code, regions) for i, frame in enumerate(frames.split(1))])


def last_by_itself(gan, frames, code):
    """The last frame of a steady video in which none follows the one before."""
    video = SteadyVideo(gan, len(frames), follow=0)
    for i in video.frames_to_read:
        video.read(frames[i : i + 1], code)
    return video.paint(len(frames) - 1, frames[-1:], code)


def frame_by_frame(gan, frames, code, strength=1.0):
    return torch.cat([gan.generate(gan.encode_content(frame), code, strength) for frame in frames.split(1)])


def flicker(frames):
    return frames.diff(dim=0).abs().mean()


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("settings", [{"statistics": "frame"}, {"statistics": "window", "window": 1}])
def test_frames_with_statistics_of_their_own(frozen_tiny, photo, artwork, settings, strength):
    frames, code = torch.cat([photo, photo.flip(3), 1 - photo]), frozen_tiny.encode_style(artwork)
    painted = steady(frozen_tiny, frames, code, strength=strength, follow=0, **settings)
    assert torch.allclose(painted, frame_by_frame(frozen_tiny, frames, code, strength), atol=1e-4)


@pytest.mark.parametrize("statistics", STATISTICS)
@pytest.mark.parametrize("follow", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_a_still_video_stands_still(frozen_tiny, portrait, artwork, statistics, follow, strength):
    code = frozen_tiny.encode_style(artwork)
    settings = {"strength": strength, "statistics": statistics, "window": 3, "follow": follow}
    painted = steady(frozen_tiny, portrait.expand(5, -1, -1, -1), code, **settings)
    assert painted.diff(dim=0).abs().max() < 1e-4
    assert torch.allclose(painted[:1], frame_by_frame(frozen_tiny, portrait, code, strength), atol=1e-4)


def passing(scene, photo, places):
    """`scene` with a small `photo` in the lower left corner, at x = each of `places`; None: without."""
    frames = scene.repeat(len(places), 1, 1, 1)
    for frame, x in zip(frames, places, strict=True):
        if x is not None:
            frame[:, 80:128, x : x + 48] = F.interpolate(photo, (48, 48), mode="area")[0]
    return frames


FAR = (..., slice(192, None))


@pytest.fixture(scope="module")
def in_a_corner(gan, scene, photo, artwork):
    """Frames with something in a corner, a style's code, and the flicker far from there, frame by frame."""
    with torch.inference_mode():
        frames, code = passing(scene, photo, [None, 0, 12, 24]), gan.encode_style(artwork)
        return frames, code, flicker(frame_by_frame(gan, frames, code)[FAR])


@pytest.mark.parametrize("follow", [0.0, 0.8])
def test_what_happens_in_a_corner_does_not_show_in_the_other(gan, in_a_corner, follow):
    frames, code, alone = in_a_corner
    assert alone > 2e-3
    assert flicker(steady(gan, frames, code, follow=follow)[FAR]) < 2e-4


def test_a_window_changes_little_by_little(gan, scene, photo, artwork):
    frames, code = passing(scene, photo, [None] * 4 + [0] * 4), gan.encode_style(artwork)
    # Only these two of the eight frames differ from their neighbour.
    sudden = frame_by_frame(gan, frames[3:5], code)[FAR].diff(dim=0).abs().mean((1, 2, 3)).max()
    gradual = steady(gan, frames, code, statistics="window", window=7, follow=0)[FAR]
    assert gradual.diff(dim=0).abs().mean((1, 2, 3)).max() < 0.5 * sudden


def test_noise_flickers_less(gan, scene, artwork):
    torch.manual_seed(0)
    frames = (scene + 2 / 255 * torch.randn(5, *scene.shape[1:])).clamp(0, 1)
    code = gan.encode_style(artwork)
    assert flicker(steady(gan, frames, code)[2:]) < 0.5 * flicker(frame_by_frame(gan, frames, code)[2:])


def test_no_trail_is_left_behind(gan, scene, photo, artwork):
    frames, code = passing(scene, photo, [0, 40, 80, 120, None]), gan.encode_style(artwork)
    followed = steady(gan, frames, code, follow=1)[-1:]
    fresh = last_by_itself(gan, frames, code)
    # Where the thing was last, and where it had been before.
    assert (followed - fresh)[..., 80:128, 120:168].abs().mean() < 0.02
    assert (followed - fresh)[..., 80:128, :120].abs().mean() < 0.04


def test_a_cut_begins_anew(gan, scene, photo, artwork):
    other = F.interpolate(photo, scene.shape[-2:], mode="area")
    frames, code = torch.cat([scene, other]), gan.encode_style(artwork)
    followed, fresh = steady(gan, frames, code, follow=1)[1:], last_by_itself(gan, frames, code)
    assert (followed - fresh).abs().mean() < 0.01


def test_contrast_is_kept(scene):
    torch.manual_seed(0)
    follower = Follower(0.5)
    grain = [(scene + 0.1 * torch.randn_like(scene)).clamp(0, 1) for _ in range(3)]
    for painted in grain:
        last = follower(scene, painted)
    assert 0.95 < last.std() / grain[-1].std() < 1.05
    assert 0.9 < last.diff(dim=3).abs().mean() / grain[-1].diff(dim=3).abs().mean() < 1.1


def test_at_strength_0_it_is_the_video(frozen_tiny, portrait, artwork):
    frames = torch.cat([portrait, portrait.roll(2, 3), portrait * 0.7])
    painted = steady(frozen_tiny, frames, frozen_tiny.encode_style(artwork), strength=0.0)
    assert torch.allclose(painted, frames, atol=1e-6)


def test_a_little_strength_does_not_blur_the_video(frozen_tiny, portrait, artwork):
    frames, code = (
        torch.cat([portrait, portrait.roll(5, 3), portrait.roll(9, 3)]),
        frozen_tiny.encode_style(artwork),
    )
    painted = steady(frozen_tiny, frames, code, strength=0.02)
    assert (painted - frames).abs().max() < 0.05


def test_regions_share_statistics_too(frozen_tiny, portrait, artwork):
    frames = torch.cat([portrait, portrait * 0.8])
    one, other = frozen_tiny.encode_style(artwork), frozen_tiny.encode_style(1 - artwork)
    height, width = portrait.shape[-2:]
    everywhere = StyleRegion(other, torch.ones(1, height, width))
    assert torch.equal(steady(frozen_tiny, frames, one, [everywhere]), steady(frozen_tiny, frames, other))
    half = StyleRegion(other, (torch.arange(width) < width // 2).float().expand(1, height, width))
    painted = steady(frozen_tiny, frames, one, [half])
    assert (painted - steady(frozen_tiny, frames, one)).abs().max() > 0.01
    # Each region has the clip's statistics in its own style: far from the border it is that style's painting.
    video = SteadyVideo(frozen_tiny, 2)
    video.read(frames[:1], one, [half])
    statistics = video.state()["statistics.0.generator.palette"]
    for k, code in enumerate((one, other)):
        alone = SteadyVideo(frozen_tiny, 2)
        alone.read(frames[:1], code)
        assert torch.equal(statistics[:, k], alone.state()["statistics.0.generator.palette"])


def test_a_long_clip_is_read_in_part(frozen_tiny):
    video = SteadyVideo(frozen_tiny, 1000)
    assert len(video.frames_to_read) == 32
    assert video.frames_to_read[0] < 32
    assert video.frames_to_read[-1] > 967
    assert SteadyVideo(frozen_tiny, 1000, statistics="window").frames_to_read == list(range(1000))
    assert SteadyVideo(frozen_tiny, 1000, statistics="frame").frames_to_read == []
    assert SteadyVideo(frozen_tiny, 1).frames_to_read == []


@pytest.mark.parametrize("size", [(1, 1), (3, 30), (17, 40)])
def test_frames_of_any_size(frozen_tiny, artwork, size):
    painted = steady(frozen_tiny, torch.rand(3, 3, *size), frozen_tiny.encode_style(artwork))
    assert painted.shape == (3, 3, *size)
    assert ((painted >= 0) & (painted <= 1)).all()


def test_frames_are_not_changed(frozen_tiny, portrait, artwork):
    frames = portrait.repeat(3, 1, 1, 1)
    steady(frozen_tiny, frames, frozen_tiny.encode_style(artwork)).zero_()
    assert torch.equal(frames, portrait.expand(3, -1, -1, -1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"statistics": "scene"}, "statistics is 'scene'; choose one of clip, window, frame"),
        ({"window": 0}, "window is 0; give 1 frame or more"),
        ({"follow": 1.5}, r"follow is 1\.5; choose a value from 0 to 1"),
        ({"follow": float("nan")}, "follow is nan"),
    ],
)
def test_bad_settings_are_one_sentence(settings, message, frozen_tiny):
    with pytest.raises(ValueError, match=message):
        SteadyVideo(frozen_tiny, 3, **settings)


@pytest.mark.parametrize(
    "settings",
    [{}, {"statistics": "window", "window": 3}, {"statistics": "frame"}, {"follow": 0.0}, {"strength": 0.4}],
)
def test_another_one_goes_on_from_a_state(frozen_tiny, scene, artwork, settings):
    small = scene[..., 64:128, 64:128]
    frames, code = torch.cat([small.roll(2 * i, 3) for i in range(6)]), frozen_tiny.encode_style(artwork)
    whole = steady(frozen_tiny, frames, code, **settings)
    first, second = (SteadyVideo(frozen_tiny, 6, **settings) for _ in range(2))
    painted = []
    for i, frame in enumerate(frames.split(1)):
        video = first if i < 3 else second
        if i == 3:
            state = {name: each.clone() for name, each in first.state().items()}
            second.restore(state, frames[2:3])
        while video.reads < video.reads_before(i):
            video.read(frames[video.frames_to_read[video.reads]][None], code)
        painted.append(video.paint(i, frame, code))
    assert torch.equal(torch.cat(painted), whole)


def test_a_window_keeps_only_what_is_near(frozen_tiny, portrait, artwork):
    portrait, code = portrait[..., :48, :48], frozen_tiny.encode_style(artwork)
    video = SteadyVideo(frozen_tiny, 12, statistics="window", window=5)
    for i in range(12):
        assert video.reads_before(i) == min(12, i + 3)
        while video.reads < video.reads_before(i):
            video.read(portrait, code)
        video.paint(i, portrait, code)
        assert len({name.split(".")[1] for name in video.state() if name.startswith("statistics")}) <= 5
