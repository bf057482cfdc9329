"""What goes together in a batch, and which picture gets what."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.batches import entry, match_batch, repeated
from brushwork.models.regions import StyleRegion, paired_batch


def test_match_batch():
    assert match_batch(1, 1, what="x") == 1
    assert match_batch(1, 5, 5, 1, what="x") == 5
    with pytest.raises(ValueError, match="x hold an empty batch; give 1 or more of each"):
        match_batch(0, 1, what="x")
    with pytest.raises(ValueError, match=r"x come in batches of 2 and 3 and 4; give each 1 or the same"):
        match_batch(4, 3, 1, 2, what="x")


def test_an_entry_or_the_only_one():
    three = torch.arange(6).view(3, 2)
    assert entry(three, 1).tolist() == [[2, 3]]
    assert entry(three[2:], 1).tolist() == [[4, 5]]
    assert repeated(three, 3).tolist() == three.tolist()
    assert repeated(three[:1], 2).tolist() == [[0, 1], [0, 1]]


def test_pictures_styles_and_masks_pair_up():
    code, mask = torch.zeros(1, 6, 24), torch.zeros(1, 8, 8)
    assert paired_batch(3, code, [], "They") == 3
    assert paired_batch(1, code.expand(4, -1, -1), [], "They") == 4
    assert paired_batch(1, code, [StyleRegion(code, mask.expand(5, -1, -1))], "They") == 5
    with pytest.raises(ValueError, match="They come in batches of 2 and 3; give each 1 or the same number"):
        paired_batch(2, code, [StyleRegion(code.expand(3, -1, -1), mask)], "They")
