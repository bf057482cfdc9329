"""Statistics kept from pictures, pooled and used for others."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.layers import adain, channel_mean_std, instance_norm_
from brushwork.models.video.moments import Recorder, Replay, pool

pytestmark = pytest.mark.usefixtures("_no_grad")


@pytest.fixture
def _no_grad():
    with torch.no_grad():
        yield


def paint(gan, picture, code, measure, strength=1.0):
    return gan.generate(gan.encode_content(picture, measure), code, strength, measure=measure)


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_pictures_own_statistics_paint_it_as_ever(gan, photo, artwork, strength):
    code, recorder = gan.encode_style(artwork), Recorder()
    plain = gan.stylize(photo, artwork, strength)
    assert torch.equal(paint(gan, photo, code, recorder, strength), plain)
    assert len(recorder.moments) == 2 + gan.config.layers
    assert torch.allclose(paint(gan, photo, code, Replay(recorder.moments), strength), plain, atol=1e-4)


def test_pooled_moments_are_those_of_the_pictures_side_by_side():
    torch.manual_seed(0)
    pictures = [torch.randn(1, 3, 4, 5) * k + k for k in (1.0, 2.0, 5.0)]
    recorders = [Recorder() for _ in pictures]
    for picture, recorder in zip(pictures, recorders, strict=True):
        recorder(picture)
    pooled = pool([recorder.moments for recorder in recorders], torch.tensor([1.0, 2.0, 0.0]))
    expected = channel_mean_std(torch.cat([pictures[0], pictures[1], pictures[1]], 3))
    for found, wanted in zip(Replay(pooled)(pictures[0]), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_equal_moments_pool_to_themselves(gan, photo, artwork):
    recorder = Recorder()
    paint(gan, photo, gan.encode_style(artwork), recorder)
    for found, own in zip(pool([recorder.moments] * 7, torch.rand(7)), recorder.moments, strict=True):
        torch.testing.assert_close(found, own, rtol=1e-12, atol=1e-12)


def test_others_statistics_leave_a_difference_in_brightness(frozen_tiny, photo):
    recorder = Recorder()
    adain(photo, torch.ones(1, 3), torch.zeros(1, 3), recorder)
    darker = instance_norm_(photo * 0.5, Replay(recorder.moments))
    mean, std = channel_mean_std(photo)
    torch.testing.assert_close(darker, (photo * 0.5 - mean) / std, atol=1e-4, rtol=1e-4)
    assert darker.mean() < -0.2
