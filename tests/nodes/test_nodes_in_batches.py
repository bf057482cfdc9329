"""A batch of IMAGE whose pictures go through the network together: the same pictures as one by one."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.style_gan import StyleGAN
from brushwork.nodes import EncodeStyle, MaskStyle
from brushwork.nodes.bridge import api
from brushwork.nodes.shared import sockets
from brushwork.nodes.shared.painting import Contents, Photos, encode_contents, paint
from brushwork.nodes.shared.sockets import InBatches


@pytest.fixture(scope="module")
def several(photo_image):
    """Five parts of a photo with pixel grids of their own, IMAGE [5,131,93,3]."""
    return torch.cat([photo_image[:, k : k + 131, 2 * k : 2 * k + 93] for k in range(5)])


@pytest.fixture
def calls(monkeypatch):
    """How many pictures went into each call of the two networks."""
    found, encode, generate = [], StyleGAN.encode_content, StyleGAN.generate
    monkeypatch.setattr(
        StyleGAN,
        "encode_content",
        lambda gan, image: found.append(("read", len(image))) or encode(gan, image),
    )

    def painted(gan, content, *args, **kwargs):
        found.append(("paint", content.batch))
        return generate(gan, content, *args, **kwargs)

    monkeypatch.setattr(StyleGAN, "generate", painted)
    return found


@pytest.mark.parametrize("preserve_color", ["off", "luminance", "histogram"])
@pytest.mark.parametrize("strength", [0.0, 0.6, 1.0])
def test_photos(style_gan, several, art_image, calls, strength, preserve_color):
    style = EncodeStyle.execute(style_gan, art_image, stroke_size=1.5)[0]
    pictures = []
    for at_once in (1, 2):
        calls.clear()
        photos = Photos(style_gan, several, "image")
        pictures.append(paint(style_gan, photos, style, strength, preserve_color, 7, at_once=at_once))
        # For strokes of 1.5, each picture is painted at two sizes.
        painted = [count for kind, count in calls if kind == "paint"]
        assert painted == ([1] * 10 if at_once == 1 else [2, 2, 2, 2, 1, 1])
    worst = 1e-5 if preserve_color == "off" else 1 / 255
    torch.testing.assert_close(pictures[1], pictures[0], rtol=0, atol=worst)


def test_contents(style_gan, several, art_image, calls):
    style = EncodeStyle.execute(style_gan, art_image)[0]
    alone, together = (encode_contents(style_gan, several, at_once) for at_once in (1, 3))
    assert calls == [("read", 1)] * 5 + [("read", 3), ("read", 2)]
    for name, each in alone.maps.items():
        torch.testing.assert_close(together.maps[name], each, rtol=0, atol=1e-4)
    assert torch.equal(together.corner, alone.corner)
    assert len(alone.corner.unique(dim=0)) > 1, "the grids of all pictures lie alike"
    expected = paint(style_gan, Contents(alone), style, 0.5, "off", 3)
    calls.clear()
    found = paint(style_gan, Contents(together), style, 0.5, "off", 3, at_once=5)
    assert calls == [("paint", 5)]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_on_a_cpu_one_by_one(style_gan, several, art_image, calls):
    style = EncodeStyle.execute(style_gan, art_image)[0]
    paint(style_gan, Photos(style_gan, several, "image"), style, 1.0, "off", 0)
    assert calls == [("read", 1), ("paint", 1)] * 5


def test_styles_of_their_own_and_masks_go_alone(style_gan, several, art_image, calls):
    styles = EncodeStyle.execute(style_gan, torch.cat([art_image, art_image.flip(2)]))[0]
    mask = torch.zeros(1, 131, 93)
    mask[:, 40:] = 1
    masked = MaskStyle.execute(styles.picture(0), styles.picture(1), mask)[0]
    for style in (styles, masked):
        calls.clear()
        paint(style_gan, Photos(style_gan, several[:2], "image"), style, 1.0, "off", 0, at_once=2)
        assert [each for each in calls if each[0] == "paint"] == [("paint", 1)] * 2


def test_memory_that_runs_out_makes_batches_smaller(style_gan, several, art_image, monkeypatch, caplog):
    style = EncodeStyle.execute(style_gan, art_image)[0]
    expected = paint(style_gan, Photos(style_gan, several, "image"), style, 1.0, "off", 0)
    real, tried = StyleGAN.encode_content, []

    def encode(gan, image):
        tried.append(len(image))
        if len(image) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return real(gan, image)

    monkeypatch.setattr(StyleGAN, "encode_content", encode)
    photos = Photos(style_gan, several, "image")
    found = paint(style_gan, photos, style, 1.0, "off", 0, at_once=4)
    assert tried == [4, 2, 2, 1]
    assert caplog.text.count("out of memory; 2 pictures or fewer go together now") == 1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_each_picture_is_a_step_and_cancel_comes_between_batches(small_gan, monkeypatch):
    steps, looks = [], []
    monkeypatch.setattr(sockets.Progress, "step", lambda progress, picture: steps.append(picture))

    def look():
        looks.append(len(steps))
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(api, "check_interrupt", look)
    batches = InBatches((8, 8), lambda numbers, device: list(numbers), 2)
    with pytest.raises(KeyboardInterrupt):
        small_gan.for_each(5, 64, lambda i, device: i, in_batches=batches)
    assert (len(steps), looks) == (4, [0, 2, 4])
    looks.clear()
    looks.extend([0, 0, 0])
    assert small_gan.for_each(5, 64, lambda i, device: i, in_batches=batches) == [0, 1, 2, 3, 4]
