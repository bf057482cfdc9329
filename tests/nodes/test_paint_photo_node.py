"""PaintPhoto: the one node paints what the many paint."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import stroke_size
from brushwork.models.checkpoint import CheckpointError
from brushwork.nodes import EncodeContent, EncodeStyle, Generate, LoadStyle, LoadStyleGAN, PaintPhoto

WAVE = "library/hokusai-great-wave"


def painted(gan, photo, style, **settings):
    return Generate.execute(gan, EncodeContent.execute(gan, photo)[0], style, **settings)[0]


def test_a_library_style(style_gan, photo_image):
    image = PaintPhoto.execute(photo_image, WAVE, strength=0.6, seed=3)[0]
    expected = painted(style_gan, photo_image, LoadStyle.execute(WAVE)[0], strength=0.6, seed=3)
    assert torch.equal(image, expected)
    assert (image - photo_image).abs().mean() > 0.02


def test_a_painting_or_a_style_counts_more_than_the_name(small_gan):
    torch.manual_seed(2)
    photo, painting = torch.rand(1, 20, 24, 3), torch.rand(1, 16, 16, 3)
    style = EncodeStyle.execute(small_gan, painting)[0]
    expected = painted(small_gan, photo, style)
    assert torch.equal(PaintPhoto.execute(photo, WAVE, painting=painting, style_gan=small_gan)[0], expected)
    assert torch.equal(PaintPhoto.execute(photo, WAVE, style=style, style_gan=small_gan)[0], expected)
    with pytest.raises(ValueError, match="A painting and a style are connected; take one of them away"):
        PaintPhoto.execute(photo, painting=painting, style=style, style_gan=small_gan)


def test_strokes_are_in_proportion_to_the_picture(small_gan, monkeypatch):
    """In Paint Photo, which is new; the strokes of Generate keep their size in pixels unless told so."""
    monkeypatch.setattr(stroke_size, "_PROPORTION_SIDE", 24)
    torch.manual_seed(3)
    photo, painting = torch.rand(1, 48, 52, 3), torch.rand(1, 16, 16, 3)
    broad = EncodeStyle.execute(small_gan, painting, stroke_size=2.0)[0]
    image = PaintPhoto.execute(photo, painting=painting, style_gan=small_gan)[0]
    assert torch.equal(image, painted(small_gan, photo, broad))
    style = EncodeStyle.execute(small_gan, painting)[0]
    assert not torch.allclose(image, painted(small_gan, photo, style), atol=0.01)
    assert torch.equal(image, painted(small_gan, photo, style, strokes="proportion"))
    assert torch.equal(painted(small_gan, photo, style), painted(small_gan, photo, style, strokes="pixels"))


def test_a_painting_for_each_photo(small_gan):
    torch.manual_seed(4)
    photos, paintings = torch.rand(2, 20, 24, 3), torch.rand(2, 16, 16, 3)
    batch = PaintPhoto.execute(photos, painting=paintings, style_gan=small_gan)[0]
    for i in range(2):
        one = PaintPhoto.execute(photos[i : i + 1], painting=paintings[i : i + 1], style_gan=small_gan)[0]
        assert torch.allclose(batch[i : i + 1], one, atol=1e-5)


def test_strength_0_is_the_photo(photo_image):
    assert torch.allclose(PaintPhoto.execute(photo_image, strength=0.0)[0], photo_image, atol=1e-6)


def test_a_style_that_is_not_there():
    sentence = "There is no style 'library/lost'; put the file into"
    assert PaintPhoto.validate_inputs("library/lost").startswith(sentence)
    assert PaintPhoto.validate_inputs(WAVE) is True
    assert PaintPhoto.validate_inputs(None) is True
    with pytest.raises(CheckpointError, match=sentence):
        PaintPhoto.execute(torch.rand(1, 16, 16, 3), "library/lost")


@pytest.mark.parametrize("wrong", [5, 1.5, True, {"a": 1}])
def test_a_name_that_is_no_text_is_refused(wrong):
    """A prompt of a program holds any JSON value, and the node itself checks its choices."""
    sentence = f"style_name is of the type {type(wrong).__name__}; give a str."
    assert PaintPhoto.validate_inputs(wrong) == LoadStyle.validate_inputs(wrong) == sentence
    sentence = f"checkpoint is of the type {type(wrong).__name__}; give a str."
    assert LoadStyleGAN.validate_inputs(wrong) == sentence


def test_another_style_is_painted_anew():
    assert PaintPhoto.fingerprint_inputs(WAVE) != PaintPhoto.fingerprint_inputs("library/klimt-kiss")
    assert PaintPhoto.fingerprint_inputs(WAVE) == PaintPhoto.fingerprint_inputs(WAVE, strength=0.5)


def test_every_node_that_paints_has_a_network_of_its_own(photo_image, art_image, style_gan):
    """Without a connected one, it is the one that ships."""
    content, style = EncodeContent.execute(image=photo_image)[0], EncodeStyle.execute(image=art_image)[0]
    image = Generate.execute(content=content, style=style)[0]
    assert torch.equal(image, painted(style_gan, photo_image, EncodeStyle.execute(style_gan, art_image)[0]))
