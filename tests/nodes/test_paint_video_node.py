"""PaintVideo: batches, settings, Generate's own pictures where nothing is shared, progress, interrupts."""

from __future__ import annotations

import pytest
import torch

from brushwork.nodes import EncodeContent, EncodeStyle, Generate, PaintVideo


@pytest.fixture
def style(style_gan, art_image):
    return EncodeStyle.execute(style_gan, art_image)[0]


def generate(gan, frames, style, *settings):
    return Generate.execute(gan, EncodeContent.execute(gan, frames)[0], style, *settings)[0]


@pytest.mark.parametrize("preserve", ["off", "luminance", "histogram"])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_with_nothing_shared_it_paints_as_generate_does(style_gan, style, photo_image, strength, preserve):
    frames = torch.cat([photo_image, photo_image.flip(2)])
    images = PaintVideo.execute(style_gan, frames, style, strength, preserve, "frame", follow=0)[0]
    assert torch.allclose(images, generate(style_gan, frames, style, strength, preserve), atol=1e-5)


@pytest.mark.parametrize("statistics", ["clip", "window", "frame"])
@pytest.mark.parametrize("follow", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_a_still_video_stands_still(style_gan, style, photo_image, statistics, follow, strength):
    frames = photo_image.expand(4, -1, -1, -1)
    images = PaintVideo.execute(style_gan, frames, style, strength, "off", statistics, 3, follow)[0]
    expected = generate(style_gan, photo_image, style, strength)
    assert torch.allclose(images, expected.expand_as(images), atol=2e-3)
