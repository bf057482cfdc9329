"""Reflected borders: PyTorch's own numbers and gradients, in the layout of the map."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.models.padding import Sides, _ChannelsLastPadding, pad_by_one

SIDES = list(itertools.product([False, True], repeat=4))


def channels_last(*shape: int) -> Tensor:
    x = torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))
    return x.contiguous(memory_format=torch.channels_last).requires_grad_()


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("size", [(2, 2), (2, 5), (4, 3), (6, 7)])
def test_the_layout_that_cuda_takes_has_the_same_pixels_and_gradients(
    size: tuple[int, int], sides: Sides
) -> None:
    x = channels_last(2, 3, *size)
    padded = _ChannelsLastPadding.apply(x, sides)
    expected = F.pad(x, [int(side) for side in sides], mode="reflect") if any(sides) else x
    assert torch.equal(padded, expected)
    assert padded.is_contiguous(memory_format=torch.channels_last)
    upstream = torch.rand_like(padded)
    (found,) = torch.autograd.grad(padded, x, upstream)
    (wanted,) = torch.autograd.grad((expected * upstream).sum(), x)
    assert torch.allclose(found, wanted, atol=1e-12)
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_rows_of_a_map_are_taken_as_they_are() -> None:
    x = channels_last(2, 3, 6, 5)
    rows = x[:, :, 1:5]
    padded = _ChannelsLastPadding.apply(rows, (True, True, False, True))
    assert torch.equal(padded, F.pad(rows, (1, 1, 0, 1), mode="reflect"))
    (found,) = torch.autograd.grad(padded.square().sum(), x)
    (wanted,) = torch.autograd.grad(F.pad(x[:, :, 1:5], (1, 1, 0, 1), mode="reflect").square().sum(), x)
    assert torch.allclose(found, wanted)


def test_gradients_that_arrive_in_the_other_layout() -> None:
    x = channels_last(2, 3, 4, 5)
    padded = _ChannelsLastPadding.apply(x, (True, True, True, True))
    assert torch.autograd.gradcheck(lambda x: _ChannelsLastPadding.apply(x, (True, False, True, True)), (x,))
    (found,) = torch.autograd.grad(padded, x, torch.ones(2, 3, 6, 7, dtype=torch.float64))
    # Every pixel of the padded map is one of the map's, so the gradients add up to their number.
    assert found.sum() == 2 * 3 * 6 * 7


@pytest.mark.parametrize("sides", SIDES)
def test_on_the_cpu_it_is_pytorch_s_own(sides: Sides) -> None:
    x = channels_last(1, 2, 3, 4)
    expected = F.pad(x, [int(side) for side in sides], mode="reflect") if any(sides) else x
    assert torch.equal(pad_by_one(x, *sides), expected)
