"""MaskStyle: masks of all kinds reach Generate; rules of overlap; what cannot carry masks."""

from __future__ import annotations

import pytest
import torch

from brushwork.nodes import (
    EncodeContent,
    Generate,
    InterpolateStyles,
    MaskStyle,
    MixStyles,
    SampleStyle,
    SaveStyle,
)
from brushwork.nodes.shared.sockets import Style


@pytest.fixture(scope="module")
def content(style_gan, photo_image):
    return EncodeContent.execute(style_gan, photo_image[:, :72, :100])[0]


@pytest.fixture(scope="module")
def styles(style_gan):
    """Three styles, alone."""
    return [SampleStyle.execute(style_gan, seed=seed, psi=1.0)[0] for seed in range(3)]


def white(share=1.0, height=72, width=100):
    """White in the left `share` of the picture."""
    mask = torch.zeros(1, height, width)
    mask[:, :, : round(share * width)] = 1
    return mask


def near(a, b):
    return torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize(("share", "winner"), [(1.0, 1), (0.0, 0)])
def test_a_mask_of_one_colour_gives_the_plain_painting(style_gan, content, styles, share, winner):
    masked = MaskStyle.execute(styles[0], styles[1], white(share))[0]
    painted = Generate.execute(style_gan, content, masked)[0]
    assert near(painted, Generate.execute(style_gan, content, styles[winner])[0])


def test_the_last_mask_lies_on_top(style_gan, content, styles):
    """The second style is hidden where the third covers it, and the background where either does."""
    left, less = white(0.48), white(0.3)
    first = MaskStyle.execute(styles[0], styles[1], left, 0)[0]
    everywhere = MaskStyle.execute(first, styles[2], white())[0]
    covered = MaskStyle.execute(MaskStyle.execute(styles[0], styles[2], less, 0)[0], styles[1], left, 0)[0]
    for masked, same_as in ((everywhere, styles[2]), (covered, first)):
        expected = Generate.execute(style_gan, content, same_as)[0]
        assert near(Generate.execute(style_gan, content, masked)[0], expected)


def test_feather_softens_the_masks_edge(styles):
    hard, soft = (MaskStyle.execute(styles[0], styles[1], white(0.5), f)[0].regions[0].mask for f in (0, 20))
    assert set(hard.flatten().tolist()) == {0.0, 1.0}
    assert ((soft > 0.05) & (soft < 0.95)).any(1).sum() >= 10


def test_masks_of_other_sizes_and_without_a_batch_axis(style_gan, content, styles):
    small = MaskStyle.execute(styles[0], styles[1], torch.ones(9, 4))[0]
    assert near(
        Generate.execute(style_gan, content, small)[0], Generate.execute(style_gan, content, styles[1])[0]
    )


def test_a_batch_of_masks_paints_one_photo_as_often(style_gan, content, styles):
    masks = torch.cat([white(0.0), white(0.5), white(1.0)])
    painted = Generate.execute(style_gan, content, MaskStyle.execute(styles[0], styles[1], masks)[0])[0]
    assert painted.shape == (3, 72, 100, 3)
    for picture, winner in ((painted[:1], 0), (painted[2:], 1)):
        assert near(picture, Generate.execute(style_gan, content, styles[winner])[0])
    assert (painted[1] - painted[0]).abs().mean() > 1e-3


def test_batches_that_do_not_match_are_refused(style_gan, content, styles):
    pair = Style(styles[0].code.expand(2, -1, -1), styles[0].structure_layers)
    masked = MaskStyle.execute(pair, styles[1], torch.ones(3, 8, 8))[0]
    with pytest.raises(ValueError, match="The contents and the styles come in batches of 2 and 3"):
        Generate.execute(style_gan, content, masked)


def test_strength_0_is_the_photo(style_gan, content, styles):
    masked = MaskStyle.execute(styles[0], styles[1], white(0.5))[0]
    painted = Generate.execute(style_gan, content, masked, strength=0.0)[0]
    assert torch.equal(painted, content.image.permute(0, 2, 3, 1))


def test_inputs_are_not_changed(styles):
    mask, code = white(0.5), styles[0].code.clone()
    MaskStyle.execute(styles[0], styles[1], mask, 30)
    assert torch.equal(mask, white(0.5))
    assert torch.equal(styles[0].code, code)
    assert styles[0].regions == ()


@pytest.mark.parametrize("shape", [(1, 4, 4, 3), (4,), (0, 4, 4), (1, 0, 4)])
def test_what_is_no_mask_is_refused(styles, shape):
    with pytest.raises(ValueError, match=r"The mask has shape .*; it must be \[batch, height, width\]\."):
        MaskStyle.execute(styles[0], styles[1], torch.zeros(shape))


def test_styles_of_other_networks_are_refused(styles):
    with pytest.raises(ValueError, match="different networks"):
        MaskStyle.execute(styles[0], Style(torch.zeros(1, 2, 5), 1), white())


def test_nodes_without_a_meaning_for_masks_say_so(styles):
    masked = MaskStyle.execute(styles[0], styles[1], white(0.5))[0]
    for node in (MixStyles, InterpolateStyles):
        with pytest.raises(
            ValueError, match=r"carries masks.* styles first and give the result to Mask Style"
        ):
            node.execute(style_1=styles[0], style_2=masked)
    with pytest.raises(ValueError, match=r"carries masks.*connect it as background instead"):
        MaskStyle.execute(styles[0], masked, white())
    with pytest.raises(ValueError, match=r"carries masks.*save each of its styles before Mask Style"):
        SaveStyle.execute(masked, "masked")
