"""Pictures, frames and masks that are not finite: every node names the one; what is too bright is clamped."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from brushwork.nodes import (
    EncodeContent,
    EncodeStyle,
    EvaluateStyle,
    Generate,
    InterpolateStyles,
    MaskStyle,
    MixStyles,
    PaintPhoto,
    PaintVideo,
    RefinePainting,
    SampleStyle,
    SaveStyle,
    StyleDataset,
)
from brushwork.nodes.shared.sockets import ManagedGAN, Style
from brushwork.nodes.train_style.inputs import photos_from, pictures_from

Call = Callable[[ManagedGAN, Tensor], object]

GOOD = torch.full((1, 20, 20, 3), 0.5)
REFINE = {"quality": "draft", "steps": 1}

TAKERS: dict[str, tuple[str, Call]] = {
    "EncodeContent image": ("Picture 2 of 3 in image", EncodeContent.execute),
    "EncodeStyle image": ("Picture 2 of 3 in image", EncodeStyle.execute),
    "PaintVideo frames": (
        "Frame 2 of 3 in frames",
        lambda gan, x: PaintVideo.execute(gan, x, EncodeStyle.execute(gan, GOOD)[0]),
    ),
    "RefinePainting image": (
        "Picture 2 of 3 in image",
        lambda gan, x: RefinePainting.execute(x, GOOD, GOOD, **REFINE),
    ),
    "RefinePainting content": (
        "Picture 2 of 3 in content",
        lambda gan, x: RefinePainting.execute(GOOD, x, GOOD, **REFINE),
    ),
    "RefinePainting style_images": (
        "Picture 2 of 3 in style_images",
        lambda gan, x: RefinePainting.execute(GOOD, GOOD, x, **REFINE),
    ),
    "EvaluateStyle style_images": (
        "Picture 2 of 3 in style_images",
        lambda gan, x: EvaluateStyle.execute(gan, style_images=x),
    ),
    "EvaluateStyle content_images": (
        "Picture 2 of 3 in content_images",
        lambda gan, x: EvaluateStyle.execute(gan, style_images=GOOD, content_images=x),
    ),
    "TrainStyle style_images": (
        "Picture 2 of 3 in style_images",
        lambda gan, x: pictures_from("paintings", "", x, 0.0),
    ),
    "TrainStyle content_images": (
        "Picture 2 of 3 in content_images",
        lambda gan, x: photos_from("", x, 0.0),
    ),
    "StyleDataset images": ("Picture 2 of 3 in images", lambda gan, x: StyleDataset.execute(images=x)),
    "SaveStyle thumbnail": (
        "Picture 2 of 3 in thumbnail",
        lambda gan, x: SaveStyle.execute(EncodeStyle.execute(gan, GOOD)[0], "any", thumbnail=x),
    ),
}
every_taker = pytest.mark.parametrize("name", TAKERS)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch, tmp_path):
    from brushwork.nodes.bridge import api

    folders = api.folder_paths.folder_names_and_paths
    monkeypatch.setitem(folders, "brushwork_styles", ([str(tmp_path)], {".safetensors"}))


@every_taker
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_picture_that_is_not_finite_is_named(small_gan, name, bad):
    where, call = TAKERS[name]
    images = torch.rand(3, 20, 20, 3)
    images[1, 5, 6, 2] = bad
    with pytest.raises(ValueError, match=rf"^{where} has values that are not finite; give \w+s with"):
        call(small_gan, images)


@every_taker
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool])
def test_whole_numbers_are_refused(small_gan, name, dtype):
    with pytest.raises(ValueError, match=rf"is {dtype}; convert it to floating point in 0\.\.1\.$"):
        TAKERS[name][1](small_gan, torch.zeros(3, 20, 20, 3, dtype=dtype))


@every_taker
def test_no_pictures_are_refused(small_gan, name):
    with pytest.raises(ValueError, match=r"has shape \(0, 20, 20, 3\); it must be"):
        TAKERS[name][1](small_gan, torch.zeros(0, 20, 20, 3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_floating_point_and_bright_pixels_are_fine(small_gan, dtype):
    images = torch.rand(2, 20, 20, 3).to(dtype)
    bright = images.clone()
    bright[:, :4, :4] = 60
    content = EncodeContent.execute(small_gan, bright)[0]
    assert torch.equal(content.image, bright.float().clamp(0, 1).permute(0, 3, 1, 2))
    assert torch.equal(content.fine, EncodeContent.execute(small_gan, bright.clamp(0, 1))[0].fine)
    alpha = torch.cat([images, torch.full((2, 20, 20, 1), 9.0, dtype=dtype)], -1)
    assert torch.equal(
        EncodeContent.execute(small_gan, alpha)[0].fine, EncodeContent.execute(small_gan, images)[0].fine
    )


def test_masks(small_gan):
    style = Style.made_by(small_gan, small_gan.gan.sample_style(1))
    masks = torch.rand(3, 8, 8)
    masks[1, 2, 2] = math.nan
    with pytest.raises(ValueError, match=r"^The mask 2 of 3 has values that are not finite; give masks with"):
        MaskStyle.execute(style, style, masks)
    with pytest.raises(ValueError, match=r"^The mask 2 of 3 has values that are not finite; give masks with"):
        RefinePainting.execute(GOOD, GOOD, GOOD, masks, **REFINE)
    with pytest.raises(ValueError, match=r"^The mask is torch.uint8; convert it to floating point"):
        MaskStyle.execute(style, style, torch.zeros(1, 8, 8, dtype=torch.uint8))
    masked = MaskStyle.execute(style, style, torch.rand(1, 8, 8) > 0.5, 0.0)[0]
    assert masked.regions[0].mask.dtype == torch.float32
    assert MaskStyle.execute(style, style, torch.full((8, 8), 3.0), 0.0)[0].regions[0].mask.max() == 1


def test_a_style_that_is_not_finite(small_gan):
    code = small_gan.gan.sample_style(1)
    bad = code.clone()
    bad[0, 0, 0] = math.nan
    content = EncodeContent.execute(small_gan, GOOD)[0]
    masked = Style.made_by(small_gan, code), Style.made_by(small_gan, bad)
    for style in (masked[1], MaskStyle.execute(*masked, torch.ones(1, 8, 8), 0.0)[0]):
        with pytest.raises(ValueError, match=r"^The style has values that are not finite; make it anew\.$"):
            Generate.execute(small_gan, content, style)
        with pytest.raises(ValueError, match=r"^The style has values that are not finite"):
            PaintVideo.execute(small_gan, GOOD, style)


class OfAnotherPack:
    """What a node that connects to every input may give."""


SOCKETS: dict[str, tuple[str, Call]] = {
    "Generate style": ("Load Style or Encode Style", lambda gan, x: Generate.execute(gan, None, x)),
    "Generate content": (
        "Encode Content",
        lambda gan, x: Generate.execute(gan, x, EncodeStyle.execute(gan, GOOD)[0]),
    ),
    "Generate style_gan": ("Load Style GAN", lambda gan, x: Generate.execute(x, None, x)),
    "PaintPhoto style": (
        "Load Style or Encode Style",
        lambda gan, x: PaintPhoto.execute(GOOD, style=x, style_gan=gan),
    ),
    "PaintVideo style": ("Load Style or Encode Style", lambda gan, x: PaintVideo.execute(gan, GOOD, x)),
    "InterpolateStyles style_2": (
        "Load Style or Encode Style",
        lambda gan, x: InterpolateStyles.execute(EncodeStyle.execute(gan, GOOD)[0], style_2=x),
    ),
    "MixStyles style_1": ("Load Style or Encode Style", lambda gan, x: MixStyles.execute(x)),
    "MaskStyle background": (
        "Load Style or Encode Style",
        lambda gan, x: MaskStyle.execute(x, EncodeStyle.execute(gan, GOOD)[0], GOOD[..., 0]),
    ),
    "MaskStyle style": (
        "Load Style or Encode Style",
        lambda gan, x: MaskStyle.execute(EncodeStyle.execute(gan, GOOD)[0], x, GOOD[..., 0]),
    ),
    "SaveStyle style": ("Load Style or Encode Style", lambda gan, x: SaveStyle.execute(x, "a")),
    "SaveStyle style_gan": (
        "Load Style GAN",
        lambda gan, x: SaveStyle.execute(EncodeStyle.execute(gan, GOOD)[0], "a", style_gan=x),
    ),
    "EncodeContent style_gan": ("Load Style GAN", lambda gan, x: EncodeContent.execute(x, GOOD)),
    "SampleStyle style_gan": ("Load Style GAN", lambda gan, x: SampleStyle.execute(x)),
    "EvaluateStyle style_gan": (
        "Load Style GAN",
        lambda gan, x: EvaluateStyle.execute(x, style_images=GOOD, content_images=GOOD),
    ),
    "RefinePainting style_gan": (
        "Load Style GAN",
        lambda gan, x: RefinePainting.execute(GOOD, GOOD, GOOD, style_gan=x, **REFINE),
    ),
}


@pytest.mark.parametrize("name", SOCKETS)
@pytest.mark.parametrize("value", [OfAnotherPack(), "a", 1.0], ids=["foreign", "text", "number"])
def test_another_kind_of_value_at_a_socket_is_named(small_gan, name, value):
    makers, call = SOCKETS[name]
    socket = name.partition(" ")[2]
    sentence = f"{socket} is of the type {type(value).__name__}; connect what {makers} gives."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        call(small_gan, value)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda gan: StyleDataset.execute(None, GOOD), "The folder is of the type NoneType; give its name"),
        (lambda gan: StyleDataset.execute("", GOOD, min_side="x"), "min_side is 'x'; give a whole number of"),
        (lambda gan: StyleDataset.execute("", GOOD, min_side=None), "min_side is None; give a whole number"),
        (
            lambda gan: StyleDataset.execute("", GOOD, validation_share=None),
            "The validation share is None; give a number from 0 to 0.5.",
        ),
        (
            lambda gan: RefinePainting.execute(GOOD, GOOD, GOOD, style_weights=2.0, style_gan=gan, **REFINE),
            "style_weights is of the type float; give a text, such as 1, 2.",
        ),
        (
            lambda gan: StyleDataset.execute("", GOOD, validation_share=10**400),
            "The validation share is 1000.*; give a number from 0 to 0.5.",
        ),
        (lambda gan: SampleStyle.execute(gan, psi=b"1"), "psi is b'1'; choose a value from 0 to 2."),
        (
            lambda gan: Generate.execute(gan, None, EncodeStyle.execute(gan, GOOD)[0], b"1", photo=GOOD),
            "strength is b'1'; choose a value from 0 to 1.",
        ),
        (
            lambda gan: MixStyles.execute(EncodeStyle.execute(gan, GOOD)[0], weight_1=b"1"),
            "The weights are nan; give numbers of 0 or more",
        ),
        *(
            (
                lambda gan, name=name: SaveStyle.execute(EncodeStyle.execute(gan, GOOD)[0], name),
                f"style_name is of the type {type(name).__name__}; give a str.$",
            )
            for name in (None, 5, ["a"], b"a")
        ),
        # It went on for ever.
        (lambda gan: SampleStyle.execute(gan, count=10**30), "count is 1000000000.*; ask for 1,000,000 styl"),
    ],
)
def test_another_kind_of_value_in_a_field_is_named(small_gan, call, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call(small_gan)
