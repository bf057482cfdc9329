"""Scene cuts are found, and motion, flashes and noise are none."""

from __future__ import annotations

import pytest
import torch
from film_clips import panned

from brushwork.models.video.cuts import shot_lengths

SIZE = (96, 72)


def thumbnails(frames):
    return [torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255 for frame in frames]


def shot(photo, count):
    return thumbnails(panned(photo, count, SIZE))


@pytest.mark.parametrize("lengths", [(8,), (5, 6), (2, 7), (6, 1), (1, 6), (4, 4, 5)])
def test_shots(lengths):
    frames = [frame for photo, count in enumerate(lengths) for frame in shot(photo, count)]
    assert shot_lengths(iter(frames)) == list(lengths)


def test_nothing():
    assert shot_lengths([]) == []


def test_a_flash_is_no_cut():
    frames = shot(0, 9)
    frames[4] = (frames[4] + 0.6).clamp(0, 1)
    assert shot_lengths(frames) == [9]


def test_what_moves_too_fast_to_be_followed_is_no_cut():
    torch.manual_seed(0)
    assert shot_lengths([torch.rand(1, 3, 72, 96) for _ in range(8)]) == [8]


def test_a_fade_is_no_cut():
    first, second = shot(0, 1)[0], shot(1, 1)[0]
    assert shot_lengths([torch.lerp(first, second, i / 12) for i in range(13)]) == [13]


def test_grain_is_no_cut():
    torch.manual_seed(0)
    assert shot_lengths([frame + 0.03 * torch.randn_like(frame) for frame in shot(2, 8)]) == [8]
