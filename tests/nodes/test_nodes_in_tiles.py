"""Memory that does not suffice for whole pictures: the nodes go on in tiles and give the same pictures."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.style_gan import StyleGAN
from brushwork.nodes import EncodeContent, EncodeStyle, Generate, MaskStyle
from brushwork.painting import tile_size


def full(*_, **__):
    raise torch.cuda.OutOfMemoryError("CUDA out of memory")


@pytest.fixture
def no_whole_pictures(monkeypatch):
    """The GPU's memory is too small for all that works on whole pictures."""
    for name in ("encode_content", "generate"):
        monkeypatch.setattr(StyleGAN, name, full)


@pytest.mark.parametrize("preserve_color", ["off", "luminance", "histogram"])
@pytest.mark.parametrize("strength", [0.0, 0.6, 1.0])
def test_generate(style_gan, photo_image, art_image, monkeypatch, strength, preserve_color):
    photos = torch.cat([photo_image, photo_image.flip(2)])[:, :131, :93]
    pair = EncodeContent.execute(style_gan, photos)[0], EncodeStyle.execute(style_gan, art_image)[0]
    expected = Generate.execute(style_gan, *pair, strength, preserve_color, 5)[0]
    monkeypatch.setattr(StyleGAN, "generate", full)
    found = Generate.execute(style_gan, *pair, strength, preserve_color, 5)[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1 / 255)


def test_the_log_says_so(style_gan, photo_image, art_image, no_whole_pictures, caplog):
    content = EncodeContent.execute(style_gan, photo_image)[0]
    Generate.execute(style_gan, content, EncodeStyle.execute(style_gan, art_image)[0])
    assert caplog.text.count("out of memory with all models unloaded; painting in smaller parts") == 2


def test_a_content_that_was_encoded_in_tiles(style_gan, photo_image, art_image, monkeypatch):
    photo, style = photo_image[:, :131, :93], EncodeStyle.execute(style_gan, art_image)[0]
    whole = EncodeContent.execute(style_gan, photo)[0]
    expected = Generate.execute(style_gan, whole, style)[0]
    monkeypatch.setattr(StyleGAN, "encode_content", full)
    content = EncodeContent.execute(style_gan, photo)[0]
    for name, each in content.maps.items():
        torch.testing.assert_close(each, whole.maps[name], rtol=0, atol=1e-3)
    found = Generate.execute(style_gan, content, style)[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1 / 255)


def test_masks(style_gan, photo_image, art_image, monkeypatch):
    photo = photo_image[:, :131, :93]
    content = EncodeContent.execute(style_gan, photo)[0]
    styles = [EncodeStyle.execute(style_gan, image)[0] for image in (art_image, art_image.flip(3))]
    mask = torch.zeros(1, 131, 93)
    mask[:, 40:, :50] = 1
    masked = MaskStyle.execute(styles[0], styles[1], mask, feather=9)[0]
    expected = Generate.execute(style_gan, content, masked)[0]
    monkeypatch.setattr(StyleGAN, "generate", full)
    found = Generate.execute(style_gan, content, masked)[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1 / 255)


def test_a_style_from_a_large_painting(style_gan, art_image, monkeypatch):
    large = torch.nn.functional.interpolate(art_image.movedim(3, 1), (700, 812)).movedim(1, 3)
    expected = EncodeStyle.execute(style_gan, large)[0]
    monkeypatch.setattr(tile_size, "free_memory", lambda device: 0)
    found = EncodeStyle.execute(style_gan, large)[0]
    torch.testing.assert_close(found.code, expected.code, rtol=1e-3, atol=1e-3)


def test_memory_that_is_short_from_the_start(style_gan, photo_image, art_image, monkeypatch):
    pair = EncodeContent.execute(style_gan, photo_image)[0], EncodeStyle.execute(style_gan, art_image)[0]
    expected = Generate.execute(style_gan, *pair)[0]
    monkeypatch.setattr(tile_size, "free_memory", lambda device: 0)
    for name in ("encode_content", "generate"):
        monkeypatch.setattr(StyleGAN, name, full)
    content = EncodeContent.execute(style_gan, photo_image)[0]
    found = Generate.execute(style_gan, content, pair[1])[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1 / 255)


def test_memory_that_is_too_small_even_for_tiles_is_a_sentence(
    style_gan, photo_image, art_image, no_whole_pictures, monkeypatch
):
    content_encoder = style_gan.gan.content_encoder
    monkeypatch.setattr(content_encoder.stem, "forward", full)
    with pytest.raises(RuntimeError, match="does not fit into the GPU's memory"):
        EncodeContent.execute(style_gan, photo_image)
