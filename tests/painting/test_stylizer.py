"""One photo, one style: what the options do, and where styles come from."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from tiny_network import TINY

from brushwork.base.shipped import DEFAULT_CHECKPOINT, STYLES_DIR
from brushwork.models.codes import mix_styles
from brushwork.models.dynamic_conv import DynamicConv3x3
from brushwork.models.stroke_size import at_scale, combined
from brushwork.models.style_file import StyleFile, read_style, write_style
from brushwork.models.style_gan import StyleGAN
from brushwork.painting import stylizer as module
from brushwork.painting.options import RefineOptions
from brushwork.painting.palette import match_palette
from brushwork.painting.refine import refine
from brushwork.painting.styles import (
    PaintingStyle,
    RandomStyle,
    SavedStyle,
    UnreadableError,
    mixed,
    read_painting,
)
from brushwork.painting.stylizer import StylizeOptions, Stylizer
from brushwork.pictures.color import luminance_only
from brushwork.pictures.tensors import as_picture

pytestmark = pytest.mark.usefixtures("slim_loss_network")

HOKUSAI = STYLES_DIR / "hokusai-great-wave.safetensors"
DRAFT = RefineOptions("draft", steps=3)
# For what does not depend on how far it goes.
ONE_STEP = RefineOptions("draft", steps=1)


@pytest.fixture
def painting(tmp_path, artwork):
    """A painting in a file."""
    as_picture(artwork).save(tmp_path / "art.png")
    return PaintingStyle(tmp_path / "art.png")


@pytest.fixture(scope="module")
def small(photo):
    """A photo of a few pixels, [1,3,64,48]."""
    return photo[:, :, :64, :48].contiguous()


def plain(gan, photo, code, strength=1.0):
    with torch.inference_mode():
        return gan.generate(gan.encode_content(photo), code, strength)


def test_as_the_network_paints(gan, small, painting):
    expected = plain(gan, small, gan.encode_style(read_painting(painting.path)))
    torch.testing.assert_close(Stylizer(gan).paint(small, painting), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_strength(gan, small, painting, strength):
    code = gan.encode_style(read_painting(painting.path))
    found = Stylizer(gan, StylizeOptions(strength=strength)).paint(small, painting)
    torch.testing.assert_close(found, plain(gan, small, code, strength), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "recolor"),
    [("luminance", luminance_only), ("histogram", lambda photo, painted: match_palette(painted, photo))],
)
def test_colors(gan, small, painting, name, recolor):
    expected = recolor(small, Stylizer(gan).paint(small, painting).clone())
    found = Stylizer(gan, StylizeOptions(preserve_color=name)).paint(small, painting)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_stroke_size(gan, small, painting):
    found = Stylizer(gan, StylizeOptions(stroke_size=2)).paint(small, painting)
    code = gan.encode_style(read_painting(painting.path))
    expected = combined([plain(gan, at_scale(small, k), code) for k in (1, 2)], small.shape[2:])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    in_tiles = Stylizer(gan, StylizeOptions(stroke_size=2), tile=64).paint(small, painting)
    torch.testing.assert_close(in_tiles, found, rtol=0, atol=1 / 255)


def test_seed(gan, small, painting):
    code = gan.encode_style(read_painting(painting.path))
    found = Stylizer(gan, StylizeOptions(seed=3)).paint(small, painting)
    with torch.inference_mode():
        expected = gan.generate(gan.encode_content(small), code, seed=3)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert (found - plain(gan, small, code)).abs().mean() > 1e-3


def test_refining_begins_with_the_strokes_of_the_seed(gan, small, painting):
    start, other = (
        Stylizer(gan, StylizeOptions(refine=ONE_STEP, seed=seed)).paint(small, painting) for seed in (0, 3)
    )
    assert (start - other).abs().mean() > 1e-3


def test_saved_random_and_mixed_styles(gan, small, painting):
    codes = {
        SavedStyle(HOKUSAI): read_style(HOKUSAI).code[None],
        RandomStyle(5, 0.6): gan.sample_style(5, 1, 0.6),
        painting: gan.encode_style(read_painting(painting.path)),
    }
    mix = mixed(list(codes), [1, 0.5, 2])
    codes[mix] = mix_styles(list(codes.values()), [1, 0.5, 2])
    stylizer = Stylizer(gan)
    for style, code in codes.items():
        torch.testing.assert_close(
            stylizer.paint(small, style), plain(gan, small, code), rtol=0, atol=1e-6, msg=style.name
        )
    assert mix.name == "hokusai-great-wave+random-5+art"
    assert mix.files == [HOKUSAI, painting.path]
    assert [part["weight"] for part in mix.record()["mix"]] == [1, 0.5, 2]


def test_refining_is_that_of_refine(gan, small, painting, network):
    options = StylizeOptions(refine=DRAFT, stroke_size=0.5, preserve_color="luminance")
    steps = []
    found = Stylizer(gan, options).paint(small, painting, on_step=lambda step: steps.append(step.step))
    art = read_painting(painting.path)
    start = combined([plain(gan, at_scale(small, 0.5), gan.encode_style(art))], small.shape[2:])
    own = RefineOptions("draft", steps=3, stroke_size=0.5, preserve_color="luminance")
    expected = refine(start, small, art, options=own)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)
    assert steps[-1] == len(steps) >= 3


def test_refining_whose_first_call_is_in_inference_mode(gan, small, painting):
    """As another program's: the loss network, which is made then, gives gradients later, too."""
    stylizer = Stylizer(gan, StylizeOptions(refine=ONE_STEP))
    with torch.inference_mode():
        first = stylizer.paint(small, painting)
    assert torch.allclose(stylizer.paint(small, painting), first, atol=1e-3)


def test_refining_below_full_strength_lets_the_photo_through(gan, small, painting):
    full = Stylizer(gan, StylizeOptions(refine=ONE_STEP)).paint(small, painting)
    half = Stylizer(gan, StylizeOptions(refine=ONE_STEP, strength=0.5)).paint(small, painting)
    torch.testing.assert_close(half, (small + full) / 2, rtol=0, atol=1e-3)
    none = Stylizer(gan, StylizeOptions(refine=ONE_STEP, strength=0)).paint(small, painting)
    assert torch.equal(none, small)


def test_mixed_paintings_are_refined_with_their_weights(gan, small, painting, tmp_path):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    red = PaintingStyle(tmp_path / "red.png")
    mix = mixed([painting, mixed([painting, red], [1, 3])], [2, 1])
    assert mix.paintings() == [(painting.path, 2), (painting.path, 1), (red.path, 3)]
    stylizer = Stylizer(gan, StylizeOptions(refine=ONE_STEP))
    one_sided = stylizer.paint(small, mixed([painting, red], [1, 0]))
    torch.testing.assert_close(one_sided, stylizer.paint(small, painting), rtol=0, atol=1e-3)
    assert not torch.allclose(one_sided, stylizer.paint(small, mixed([painting, red])), atol=0.05)


@pytest.mark.parametrize("style", [SavedStyle(HOKUSAI), RandomStyle(1)])
def test_what_holds_no_painting_is_not_refined(gan, small, painting, style):
    for each in (style, mixed([painting, style])):
        with pytest.raises(ValueError, match="holds no painting"):
            Stylizer(gan, StylizeOptions(refine=DRAFT)).paint(small, each)


def test_bad_styles_are_refused_in_one_sentence(gan, small, tmp_path, caplog):
    (tmp_path / "art.png").write_text("no picture")
    with pytest.raises(UnreadableError, match=r"art\.png is not a picture"):
        Stylizer(gan).paint(small, PaintingStyle(tmp_path / "art.png"))
    with pytest.raises(ValueError, match="weights are"):
        mixed([RandomStyle(1)], [-1])
    foreign = StyleFile(torch.zeros(gan.config.layers, gan.config.code_dim), 6, "0" * 16, "foreign")
    write_style(tmp_path / "foreign.safetensors", foreign)
    Stylizer(gan).paint(small, SavedStyle(tmp_path / "foreign.safetensors"))
    assert "foreign.safetensors was made with another network's style encoder" in caplog.text
    narrow = StyleGAN(TINY).eval().requires_grad_(False)
    with pytest.raises(ValueError, match="encode the style with the same checkpoint"):
        Stylizer(narrow).paint(small, SavedStyle(HOKUSAI))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": 1.5}, "strength is 1.5"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"stroke_size": 8}, "stroke_size is 8"),
        ({"preserve_color": "yes"}, "preserve_color is 'yes'"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        StylizeOptions(**options)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda gan, photo: Stylizer(gan).paint(photo, None), "style is of the type NoneType; give a Style"),
        (lambda gan, photo: Stylizer(gan).paint(None, RandomStyle(1)), "The photo is of the type NoneType"),
        (lambda gan, photo: Stylizer.load(device=None), "The device None cannot be used here; give auto"),
        (lambda gan, photo: Stylizer.load(3), "The path is of the type int; give a text or a Path"),
        (lambda gan, photo: Stylizer.load(device=""), "The device '' cannot be used here; give auto"),
        (lambda gan, photo: Stylizer.load(device="{}"), "The device {} cannot be used here; give auto"),
        # These want packages of their own.
        (lambda gan, photo: Stylizer.load(device="hpu"), "The device hpu cannot be used here; give auto"),
        (
            lambda gan, photo: Stylizer.load(device="privateuseone:0"),
            "The device privateuseone:0 cannot be used here; give auto",
        ),
        (lambda gan, photo: Stylizer(None), "gan is of the type NoneType; give a StyleGAN"),
        (lambda gan, photo: PaintingStyle(None), "path is of the type NoneType; give a text or a Path"),
        (lambda gan, photo: SavedStyle(None), "path is of the type NoneType; give a text or a Path"),
        (lambda gan, photo: StylizeOptions(preserve_color=None), "preserve_color is None; choose one of"),
        (lambda gan, photo: StylizeOptions(strokes=None), "strokes is None; choose one of"),
        (lambda gan, photo: StylizeOptions(refine="draft"), "refine is of the type str; give a RefineOpt"),
    ],
)
def test_arguments_of_another_type_are_named(gan, small, call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call(gan, small)


def test_the_device(monkeypatch, small, painting):
    stylizer = Stylizer.load(device="cpu")
    assert stylizer.device == torch.device("cpu")
    assert stylizer.network == {
        "file": DEFAULT_CHECKPOINT.name,
        "sha256": module.sha256_of(DEFAULT_CHECKPOINT),
    }
    with pytest.raises(ValueError, match="The device abacus cannot be used here"):
        Stylizer.load(device="abacus")


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="has a GPU")
def test_a_gpu_that_fails_is_not_taken(monkeypatch, small, painting):
    expected = Stylizer.load(device="cpu").paint(small, painting)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    stylizer = Stylizer.load()
    assert stylizer.device.type == "cpu"
    assert torch.equal(stylizer.paint(small, painting), expected)


@pytest.mark.parametrize("refine", [None, ONE_STEP])
def test_trying_out_leaves_nothing_behind(gan, small, painting, refine):
    options = StylizeOptions(refine=refine)
    stylizer = Stylizer(gan, options)
    stylizer.try_out()
    assert stylizer.options is options
    torch.testing.assert_close(
        stylizer.paint(small, painting), Stylizer(gan, options).paint(small, painting), rtol=0, atol=1e-3
    )


def test_kernels_are_merged_once_for_a_style(gan, small, monkeypatch):
    """And the pictures are those of kernels that are merged for each, bit for bit."""
    merged, real = [], DynamicConv3x3.merged
    monkeypatch.setattr(
        DynamicConv3x3, "merged", lambda layer, *args, **kw: merged.append(1) or real(layer, *args, **kw)
    )
    stylizer, layers = Stylizer(gan), sum(isinstance(each, DynamicConv3x3) for each in gan.modules())
    photos = [small, small.flip(3)]
    for style in (SavedStyle(HOKUSAI), RandomStyle(3), SavedStyle(HOKUSAI)):
        merged.clear()
        found = [stylizer.paint(photo, style) for photo in photos]
        assert len(merged) == layers
        for photo, picture in zip(photos, found, strict=True):
            assert torch.equal(picture, plain(gan, photo, stylizer.code(style)))
    # Below full strength each photo has a code of its own.
    weaker = Stylizer(gan, StylizeOptions(strength=0.5))
    merged.clear()
    found = [weaker.paint(photo, RandomStyle(3)) for photo in photos]
    assert len(merged) == 2 * layers
    assert torch.equal(found[1], plain(gan, photos[1], weaker.code(RandomStyle(3)), 0.5))
