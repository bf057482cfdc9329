"""Statistics kept from pictures, pooled and used for others."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.normalization import channel_mean_std
from brushwork.models.passes import Frozen
from brushwork.models.strips import Strip
from brushwork.models.video.norm_statistics import Recorder, Replay, pool


def paint(gan, picture, code, statistics, strength=1.0):
    how = Frozen(statistics)
    return gan.generate(gan.encode_content(picture, how), code, strength, how=how)


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_pictures_own_statistics_paint_it_as_ever(gan, photo, artwork, strength):
    code, recorder = gan.encode_style(artwork), Recorder()
    plain = gan.stylize(photo, artwork, strength)
    assert torch.equal(paint(gan, photo, code, recorder, strength), plain)
    assert recorder.kept.keys() == set(gan.normalized)
    assert len(recorder.kept) == 4 + gan.config.layers + 1, "four of the content, and that of the colours"
    replay = Replay(recorder.kept, gan.normalized)
    for _ in range(2):
        assert torch.allclose(paint(gan, photo, code, replay, strength), plain, atol=1e-4)


def test_statistics_go_by_name_and_not_by_the_order_of_the_layers(gan, photo, artwork):
    code, recorder = gan.encode_style(artwork), Recorder()
    plain = paint(gan, photo, code, recorder)
    turned = dict(reversed(recorder.kept.items()))
    assert torch.allclose(paint(gan, photo, code, Replay(turned, gan.normalized)), plain, atol=1e-4)


def test_a_missing_or_an_unknown_layer_is_refused(gan, frozen_tiny, photo, artwork):
    recorder = Recorder()
    paint(gan, photo, gan.encode_style(artwork), recorder)
    some = {name: kept for name, kept in recorder.kept.items() if name != "generator.palette"}
    with pytest.raises(ValueError, match=r"The statistics lack the layer generator\.palette; record them"):
        Replay(some, gan.normalized)
    with pytest.raises(
        ValueError, match=r"The statistics have the layer generator\.coarse_blocks\.2; record"
    ):
        Replay(recorder.kept, frozen_tiny.normalized)
    with pytest.raises(ValueError, match="There are no statistics of the layer somewhere"):
        Replay(recorder.kept, gan.normalized)("somewhere", photo)
    with pytest.raises(ValueError, match="The statistics are those of different networks"):
        pool([recorder.kept, some], torch.ones(2))


def test_a_recorder_is_for_one_picture(frozen_tiny, photo, artwork):
    recorder = Recorder()
    frozen_tiny.encode_content(photo, Frozen(recorder))
    with pytest.raises(ValueError, match=r"statistics of content_encoder\.fine are recorded already"):
        frozen_tiny.encode_content(photo, Frozen(recorder))


def test_pooled_statistics_are_those_of_the_pictures_side_by_side():
    torch.manual_seed(0)
    pictures = [torch.randn(1, 3, 4, 5) * k + k for k in (1.0, 2.0, 5.0)]
    recorders = [Recorder() for _ in pictures]
    for picture, recorder in zip(pictures, recorders, strict=True):
        recorder("any", picture)
    pooled = pool([recorder.kept for recorder in recorders], torch.tensor([1.0, 2.0, 0.0]))
    expected = channel_mean_std(torch.cat([pictures[0], pictures[1], pictures[1]], 3))
    for found, wanted in zip(Replay(pooled, ["any"])("any", pictures[0]), expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_equal_statistics_pool_to_themselves(gan, photo, artwork):
    recorder = Recorder()
    paint(gan, photo, gan.encode_style(artwork), recorder)
    pooled = pool([recorder.kept] * 7, torch.rand(7))
    assert pooled.keys() == recorder.kept.keys()
    for layer, own in recorder.kept.items():
        torch.testing.assert_close(pooled[layer], own, rtol=1e-12, atol=1e-12)


def test_others_statistics_leave_a_difference_in_brightness(photo):
    recorder = Recorder()
    Frozen(recorder).modulate("any", photo, torch.ones(1, 3), torch.zeros(1, 3))(Strip.whole(photo.shape[2]))
    darker = Frozen(Replay(recorder.kept, ["any"])).normalize("any", photo * 0.5)
    mean, std = channel_mean_std(photo)
    torch.testing.assert_close(darker, (photo * 0.5 - mean) / std, atol=1e-4, rtol=1e-4)
    assert darker.mean() < -0.2
