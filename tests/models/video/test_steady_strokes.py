"""Videos with strokes of another size hold still as well, and go on after a stop."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.models.stroke_size import at_scale, combined
from brushwork.models.video.steady import SteadyVideo
from brushwork.models.video.steady_strokes import SteadyStrokes


@pytest.fixture
def frames(photo):
    photo = F.avg_pool2d(photo, 2)
    return torch.cat([photo, photo.roll(2, 3), photo.roll(4, 3)])


def video_of(gan, stroke_size):
    return SteadyStrokes(stroke_size, "pixels", lambda: SteadyVideo(gan, 3))


@torch.inference_mode()
def painted(video, frames, code, first=0):
    for i in video.frames_to_read[video.reads :]:
        video.read(frames[i : i + 1], code)
    return [video.paint(i, frames[i : i + 1], code) for i in range(first, 3)]


def test_each_size_is_a_steady_video(frozen_tiny, frames, artwork):
    code = frozen_tiny.encode_style(artwork)
    assert torch.equal(
        torch.cat(painted(video_of(frozen_tiny, 1.0), frames, code)),
        torch.cat(painted(SteadyVideo(frozen_tiny, 3), frames, code)),
    )
    sizes = [painted(SteadyVideo(frozen_tiny, 3), at_scale(frames, scale), code) for scale in (1, 2)]
    expected = [combined(pair, frames.shape[2:]) for pair in zip(*sizes, strict=True)]
    assert torch.equal(torch.cat(painted(video_of(frozen_tiny, 2.0), frames, code)), torch.cat(expected))


def test_it_goes_on_after_a_stop(frozen_tiny, frames, artwork):
    code = frozen_tiny.encode_style(artwork)
    whole = painted(video_of(frozen_tiny, 2.0), frames, code)
    stopped, other = video_of(frozen_tiny, 2.0), video_of(frozen_tiny, 2.0)
    with torch.inference_mode():
        for i in stopped.frames_to_read:
            stopped.read(frames[i : i + 1], code)
        stopped.paint(0, frames[:1], code)
        other.restore(stopped.state(), frames[:1])
    assert torch.equal(torch.cat(painted(other, frames, code, first=1)), torch.cat(whole[1:]))
