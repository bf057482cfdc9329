"""EncodeContent and EncodeStyle: the networks' own results, for every kind of IMAGE."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.stroke_size import at_scale, combined, painted_scales
from brushwork.nodes import EncodeContent, EncodeStyle, Generate, MaskStyle, MixStyles


def close(a, b):
    return torch.allclose(a, b, atol=1e-5)


def test_content_is_the_networks_own(style_gan, gan, photo, photo_image):
    content = EncodeContent.execute(style_gan, photo_image)[0]
    expected = gan.encode_content(photo)
    assert close(content.fine, expected.fine)
    assert close(content.coarse, expected.coarse)
    assert torch.equal(content.image, photo)


@pytest.mark.parametrize("size", [(1, 1), (7, 51), (33, 20)])
def test_content_of_a_batch_is_that_of_its_pictures(small_gan, size):
    images = torch.rand(3, *size, 3)
    batch = EncodeContent.execute(small_gan, images)[0]
    assert batch.batch == 3
    assert batch.size == size
    for i in range(3):
        single = EncodeContent.execute(small_gan, images[i : i + 1])[0]
        assert close(batch.fine[i : i + 1], single.fine)
        assert close(batch.coarse[i : i + 1], single.coarse)


def test_style_is_the_networks_own(style_gan, gan, artwork, art_image):
    style = EncodeStyle.execute(style_gan, art_image)[0]
    assert close(style.code, gan.encode_style(artwork))
    assert style.structure_layers == gan.config.structure_layers
    assert style.code.device.type == "cpu"


def test_a_batch_of_paintings_gives_a_batch_of_styles(small_gan):
    images = torch.rand(3, 24, 40, 3)
    style = EncodeStyle.execute(small_gan, images)[0]
    singles = [EncodeStyle.execute(small_gan, images[i : i + 1])[0].code for i in range(3)]
    assert close(style.code, torch.cat(singles))


def test_average_is_one_style(small_gan):
    images = torch.rand(3, 24, 40, 3)
    each = EncodeStyle.execute(small_gan, images, average=False)[0].code
    assert close(EncodeStyle.execute(small_gan, images, average=True)[0].code, each.mean(0, keepdim=True))


@pytest.mark.parametrize("node", [EncodeContent, EncodeStyle])
def test_transparent_is_white(small_gan, node):
    rgba = torch.rand(1, 16, 16, 4)
    rgba[..., 3] = 0
    rgba[:, :8, :, 3] = 1
    over_white = rgba[..., :3].clone()
    over_white[:, 8:] = 1
    one, other = node.execute(small_gan, rgba)[0], node.execute(small_gan, over_white)[0]
    assert close(*((x.code if node is EncodeStyle else x.fine) for x in (one, other)))


@pytest.mark.parametrize("node", [EncodeContent, EncodeStyle])
def test_grey_is_three_equal_channels(small_gan, node):
    gray = torch.rand(1, 16, 16, 1)
    one, other = node.execute(small_gan, gray)[0], node.execute(small_gan, gray.expand(-1, -1, -1, 3))[0]
    assert close(*((x.code if node is EncodeStyle else x.fine) for x in (one, other)))


@pytest.mark.parametrize("shape", [(16, 16, 3), (1, 16, 16, 2), (0, 16, 16, 3), (1, 0, 16, 3)])
@pytest.mark.parametrize("node", [EncodeContent, EncodeStyle])
def test_what_is_no_image_is_refused(small_gan, node, shape):
    with pytest.raises(ValueError, match=r"picture has shape .*; it must be \[batch, height, width"):
        node.execute(small_gan, torch.zeros(shape))


@pytest.mark.parametrize("node", [EncodeContent, EncodeStyle])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_image_is_not_changed(small_gan, node, channels):
    image = torch.rand(2, 18, 21, channels)
    before = image.clone()
    node.execute(small_gan, image)
    assert torch.equal(image, before)


@pytest.mark.parametrize("stroke_size", [0.5, 1.0, 2.5])
def test_stroke_size_reaches_the_brush(style_gan, gan, photo, photo_image, artwork, art_image, stroke_size):
    style = EncodeStyle.execute(style_gan, art_image, stroke_size=stroke_size)[0]
    assert close(style.code, gan.encode_style(artwork))
    paintings = [gan.stylize(at_scale(photo, scale), artwork) for scale in painted_scales(stroke_size)]
    expected = combined(paintings, photo.shape[2:])
    painted = Generate.execute(style_gan, EncodeContent.execute(style_gan, photo_image)[0], style)[0]
    assert close(painted.movedim(-1, 1), expected)


def test_mixed_styles_have_the_mean_of_the_stroke_sizes(small_gan):
    image = torch.rand(1, 24, 40, 3)
    broad, fine = (EncodeStyle.execute(small_gan, image, stroke_size=size)[0] for size in (2.0, 0.5))
    assert MixStyles.execute(style_1=broad, style_2=fine)[0].stroke_size == 1.25
    masked = MaskStyle.execute(broad, fine, torch.ones(1, 24, 40))[0]
    assert masked.stroke_size == 2
    assert masked.picture(0).to("cpu").stroke_size == 2


@pytest.mark.parametrize("stroke_size", [0.1, 5.0])
def test_a_stroke_size_out_of_its_range_is_refused(small_gan, stroke_size):
    with pytest.raises(ValueError, match=f"stroke_size is {stroke_size}; choose a value from 0.25 to 4"):
        EncodeStyle.execute(small_gan, torch.rand(1, 24, 40, 3), stroke_size=stroke_size)


def test_workflows_saved_without_stroke_size_still_load(small_gan):
    """It is the last widget and optional, so saved values keep their places and a prompt may lack it."""
    last = EncodeStyle.GET_SCHEMA().inputs[-1]
    assert (last.id, last.optional, last.default) == ("stroke_size", True, 1.0)
    image = torch.rand(2, 24, 40, 3)
    without = EncodeStyle.execute(small_gan, image, average=True)[0].code
    assert torch.equal(without, EncodeStyle.execute(small_gan, image, average=True, stroke_size=1.0)[0].code)
