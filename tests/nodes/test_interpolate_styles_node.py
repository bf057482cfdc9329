"""InterpolateStyles: the node's inputs reach models.interpolate_styles, and Generate paints the series."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import interpolate_styles
from brushwork.nodes import EncodeContent, EncodeStyle, Generate, InterpolateStyles
from brushwork.nodes.shared.sockets import Style

LAYERS, DIM, COARSE = 6, 8, 4


def style(seed, batch=1, encoder=None):
    code = torch.randn(batch, LAYERS, DIM, generator=torch.Generator().manual_seed(seed))
    return Style(code, COARSE, encoder)


A, B, C = (style(seed) for seed in range(3))


@pytest.mark.parametrize("loop", [False, True])
def test_inputs_reach_the_model_in_their_order(loop):
    series = InterpolateStyles.execute(
        style_1=A, style_3=B, style_6=C, count=9, mode="slerp", ease="smooth", loop=loop
    )[0]
    assert torch.equal(series.code, interpolate_styles([A.code, B.code, C.code], 9, "slerp", "smooth", loop))
    assert series.structure_layers == COARSE


def test_a_batch_needs_no_second_style():
    assert InterpolateStyles.execute(style_1=style(1, batch=3), count=5)[0].code.shape == (5, LAYERS, DIM)


def test_a_single_style_is_refused():
    with pytest.raises(ValueError, match="2 styles or more to go between, not 1; connect another"):
        InterpolateStyles.execute(style_1=A)


def test_styles_of_other_networks_are_refused():
    with pytest.raises(ValueError, match="different networks"):
        InterpolateStyles.execute(style_1=A, style_2=Style(torch.zeros(1, LAYERS, 5), COARSE))


def test_the_series_knows_its_encoder():
    mine, yours = style(1, encoder="mine"), style(2, encoder="yours")
    assert InterpolateStyles.execute(style_1=mine, style_2=mine)[0].encoder == "mine"
    with pytest.raises(ValueError, match=r"different networks' style encoders \(mine, yours\)"):
        InterpolateStyles.execute(style_1=mine, style_2=yours)


def test_inputs_are_not_changed():
    before = A.code.clone(), B.code.clone()
    InterpolateStyles.execute(style_1=A, style_2=B, count=2)[0].code.zero_()
    assert torch.equal(A.code, before[0])
    assert torch.equal(B.code, before[1])


def test_choices_are_checked():
    assert InterpolateStyles.validate_inputs(mode="slerp", ease="smoother") is True
    assert InterpolateStyles.validate_inputs() is True
    assert InterpolateStyles.validate_inputs(mode="add") == "mode is 'add'; choose one of lerp, slerp."
    assert (
        InterpolateStyles.validate_inputs(ease="bounce")
        == "ease is 'bounce'; choose one of linear, smooth, smoother."
    )


def test_generate_paints_one_photo_in_every_style_of_the_series(style_gan, photo_image, art_image):
    photo = photo_image[:, :64, :48]
    content = EncodeContent.execute(style_gan, photo)[0]
    first = EncodeStyle.execute(style_gan, art_image)[0]
    last = EncodeStyle.execute(style_gan, art_image.flip(-1))[0]
    series = InterpolateStyles.execute(style_1=first, style_2=last, count=4)[0]
    frames = Generate.execute(style_gan, content, series)[0]
    assert frames.shape == (4, 64, 48, 3)
    assert torch.equal(frames[:1], Generate.execute(style_gan, content, first)[0])
    assert torch.equal(frames[-1:], Generate.execute(style_gan, content, last)[0])
    to_last = (frames - frames[-1:]).abs().mean((1, 2, 3)).tolist()
    assert to_last == sorted(to_last, reverse=True)
    assert len(set(to_last)) == 4
