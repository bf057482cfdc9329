"""Reflected borders: NumPy's pixels around pictures; PyTorch's own numbers and gradients around maps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.models.padding import Sides, _ChannelsLastPadding, pad_by_one, pad_to_stride, reflection_index

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


@pytest.mark.parametrize("length", [2, 3, 5, 16])
@pytest.mark.parametrize("after", [0, 1, 4, 40])
def test_reflection_index_walks_to_and_fro(length, after):
    there_and_back = [*range(length), *range(length - 2, 0, -1)]
    expected = [there_and_back[i % len(there_and_back)] for i in range(-3, length + after)]
    assert reflection_index(length, 3, after, torch.device("cpu")).tolist() == expected


def test_reflection_of_a_single_sample_repeats_it():
    assert reflection_index(1, 2, 3, torch.device("cpu")).tolist() == [0] * 6


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (3, 5), (7, 513), (16, 16), (17, 31)])
def test_padding_reflects_at_the_right_and_the_bottom(height, width, stride):
    image = torch.rand(2, 3, height, width)
    padded = pad_to_stride(image, stride)
    rows, columns = padded.shape[-2:]
    assert rows % stride == columns % stride == 0
    assert rows >= 16
    assert columns >= 16
    assert rows - height < max(stride, 16)
    assert columns - width < max(stride, 16)
    frame = ((0, 0), (0, 0), (0, rows - height), (0, columns - width))
    np.testing.assert_array_equal(padded.numpy(), np.pad(image.numpy(), frame, mode="reflect"))


def test_padding_leaves_a_fitting_picture_alone():
    image = torch.rand(1, 3, 16, 48)
    assert pad_to_stride(image, 8) is image
