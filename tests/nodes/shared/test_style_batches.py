"""A batch of styles: how many there are, and what each picture gets of it."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.regions import StyleRegion
from brushwork.nodes.shared.sockets import Style

CODES = torch.arange(12.0).view(2, 3, 2)


def test_a_picture_gets_its_style_and_its_masks():
    region = StyleRegion(CODES[:1] + 100, torch.arange(8.0).view(2, 2, 2))
    style = Style(CODES, 1, "encoder", (region,))
    second = style.picture(1)
    assert (len(style), len(second)) == (2, 1)
    assert torch.equal(second.code, CODES[1:])
    assert (second.structure_layers, second.encoder) == (1, "encoder")
    assert torch.equal(second.regions[0].code, region.code)
    assert second.regions[0].mask.tolist() == [[[4, 5], [6, 7]]]
    assert torch.equal(second.picture(5).code, second.code), "the only one is for all"


def test_it_moves_as_one():
    style = Style(CODES, 1, regions=(StyleRegion(CODES, torch.zeros(1, 2, 2)),)).to("meta")
    assert {style.code.device.type, style.regions[0].code.device.type, style.regions[0].mask.device.type} == {
        "meta"
    }


def test_it_pairs_up_with_pictures():
    style = Style(CODES, 1, regions=(StyleRegion(CODES, torch.zeros(1, 2, 2)),))
    assert style.batch_with(1, "They") == style.batch_with(2, "They") == 2
    with pytest.raises(ValueError, match="They come in batches of 2 and 3"):
        style.batch_with(3, "They")
