"""The contract of pictures and masks: what is clamped, what is refused, and how it is said."""

from __future__ import annotations

import math

import pytest
import torch

from brushwork.pictures.values import checked_mask, unit_range


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_values_outside_are_clamped_and_others_stay(dtype):
    inside = torch.rand(2, 3, 5, 7).to(dtype)
    assert unit_range(inside, "image") is inside
    outside = inside.clone()
    outside[0, 0, 0, 0], outside[1, 2, 4, 6] = 300, -2
    found = unit_range(outside, "image")
    assert (found[0, 0, 0, 0], found[1, 2, 4, 6]) == (1, 0)
    assert torch.equal(found[0, 1:], inside[0, 1:])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_the_first_that_is_not_finite_is_named(bad):
    images = torch.rand(4, 3, 5, 7)
    images[2, 1, 4, 0] = bad
    expected = "Frame 3 of 4 in frames has values that are not finite; give frames with values in 0..1."
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        unit_range(images, "frames", "frame", "frame")
    assert str(raised.value) == expected
    with pytest.raises(ValueError, match=r"^photo 3 of 4 has values that are not finite; give pictures"):
        unit_range(images, "photo")
    with pytest.raises(ValueError, match=r"^photo has values that are not finite; give pictures"):
        unit_range(images[2:3], "photo")


def test_any_layout_and_gradients_are_fine():
    images = torch.rand(2, 6, 5, 3).permute(0, 3, 1, 2)[..., ::2].requires_grad_(True)
    (2 * unit_range(images * 2, "image")).sum().backward()
    assert torch.equal(images.grad, 4 * (images * 2 <= 1).float())


def test_masks():
    mask = torch.tensor([[[True, False]]])
    assert torch.equal(checked_mask(mask, "The mask"), torch.tensor([[[1.0, 0.0]]]))
    assert checked_mask(mask.half(), "The mask").dtype == torch.float32
    assert checked_mask(mask.double() * 3, "The mask").tolist() == [[[1, 0]]]
    masks = torch.zeros(3, 2, 2)
    masks[1, 0, 0] = math.nan
    with pytest.raises(ValueError, match=r"^The mask 2 of 3 has values that are not finite; give masks with"):
        checked_mask(masks, "The mask")
    for bad, message in (
        (torch.zeros(2, 2), r"has shape \(2, 2\); it must be \[batch, height, width\]"),
        (torch.zeros(0, 2, 2), r"has shape \(0, 2, 2\)"),
        (torch.zeros(1, 2, 2, dtype=torch.uint8), "is torch.uint8; convert it to floating point in 0..1"),
        ([[0.0]], "is of the type list; give a tensor in 0..1"),
    ):
        with pytest.raises(ValueError, match=message):
            checked_mask(bad, "The mask")
