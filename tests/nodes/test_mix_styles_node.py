"""MixStyles: the node's inputs reach models.mix_styles as they should."""

from __future__ import annotations

import pytest
import torch

from brushwork.models import mix_styles
from brushwork.nodes import MixStyles
from brushwork.nodes.shared.sockets import Style

LAYERS, DIM, COARSE = 6, 8, 4


def style(seed, batch=1):
    code = torch.randn(batch, LAYERS, DIM, generator=torch.Generator().manual_seed(seed))
    return Style(code, COARSE)


A, B, C = (style(seed) for seed in range(3))


def test_one_style_stays_as_it_is():
    mixed = MixStyles.execute(style_1=A)[0]
    assert torch.equal(mixed.code, A.code)
    assert mixed.structure_layers == COARSE
    assert mixed.code.data_ptr() != A.code.data_ptr()


@pytest.mark.parametrize("mode", ["lerp", "slerp"])
def test_weights_belong_to_their_styles(mode):
    mixed = MixStyles.execute(
        style_1=A, style_3=B, style_6=C, weight_1=2.0, weight_2=9.0, weight_3=1.0, weight_6=0.5, mode=mode
    )[0]
    assert torch.allclose(mixed.code, mix_styles([A.code, B.code, C.code], [2, 1, 0.5], mode))


def test_weights_are_equal_unless_given():
    assert torch.allclose(MixStyles.execute(style_1=A, style_2=B)[0].code, (A.code + B.code) / 2)


def test_split_takes_structure_from_the_first():
    mixed = MixStyles.execute(style_1=A, style_2=B, style_3=C, weight_1=5.0, weight_3=3.0, split=True)[0]
    assert torch.equal(mixed.code[:, :COARSE], A.code[:, :COARSE])
    assert torch.allclose(mixed.code[:, COARSE:], (B.code / 4 + C.code * 3 / 4)[:, COARSE:])


def test_the_first_connected_style_counts():
    mixed = MixStyles.execute(style_3=A, style_4=B, weight_3=9.0, split=True)[0]
    assert torch.equal(mixed.code[:, :COARSE], A.code[:, :COARSE])
    assert torch.equal(mixed.code[:, COARSE:], B.code[:, COARSE:])
    with pytest.raises(ValueError, match="No style is connected; connect one"):
        MixStyles.execute()


def test_one_style_mixes_with_each_of_a_batch():
    batch = style(7, batch=3)
    mixed = MixStyles.execute(style_1=A, style_2=batch)[0]
    assert torch.allclose(mixed.code, (A.code + batch.code) / 2)


def test_unequal_batches_are_refused():
    with pytest.raises(ValueError, match="The styles to mix come in batches of 2 and 3"):
        MixStyles.execute(style_1=style(1, 2), style_2=style(2, 3))


def test_styles_of_other_networks_are_refused():
    with pytest.raises(ValueError, match="different networks"):
        MixStyles.execute(style_1=A, style_2=Style(torch.zeros(1, LAYERS, 5), COARSE))


def test_weights_of_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one above 0"):
        MixStyles.execute(style_1=A, style_2=B, weight_1=0.0, weight_2=0.0)


def test_inputs_are_not_changed():
    before = A.code.clone(), B.code.clone()
    MixStyles.execute(style_1=A, style_2=B, split=True, mode="slerp")
    assert torch.equal(A.code, before[0])
    assert torch.equal(B.code, before[1])


def test_modes_are_checked():
    assert MixStyles.validate_inputs(mode="slerp") is True
    assert MixStyles.validate_inputs(mode=None) is True
    assert MixStyles.validate_inputs(mode="add") == "mode is 'add'; choose one of lerp, slerp."
