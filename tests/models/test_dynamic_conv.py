"""Kernels that depend on the style, and pictures in which several styles rule."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F

from brushwork.models.dynamic_conv import DynamicConv3x3, Kernels, pad_reflected
from brushwork.models.layers import Conv3x3
from brushwork.models.passes import Frozen, Trained
from brushwork.models.shares import Shares
from brushwork.models.strips import Strip


@pytest.fixture
def conv():
    torch.manual_seed(0)
    layer = DynamicConv3x3(4, 6, 3).double().requires_grad_(False)
    torch.nn.init.normal_(layer.bias)
    return layer


def test_a_merged_kernel_is_the_mixture(conv):
    w, factor = torch.randn(2, 6).double(), torch.randn(2, 4).double()
    merged = conv.merged(w, factor)
    parts = conv.weight.unflatten(0, (3, 4))
    for i in range(2):
        mixture = parts[0] + sum(a * part for a, part in zip(conv.mix(w)[i], parts[1:], strict=True))
        torch.testing.assert_close(merged.weight[i], mixture * factor[i, :, None, None, None])
        torch.testing.assert_close(merged.bias[i], conv.bias * factor[i])


@pytest.mark.parametrize("kernels", [1, 3])
def test_merged_in_place_the_weights_stay(kernels):
    torch.manual_seed(0)
    layer = DynamicConv3x3(4, 6, kernels).requires_grad_(False)
    # One kernel has no mixture, and serves all styles.
    w, before = torch.randn(2 if kernels > 1 else 1, 6), layer.weight.clone()
    factor = torch.randn(len(w), 4)
    expected = layer.merged(w, factor)
    found = layer.merged(w, factor, in_place=True)
    assert torch.equal(found.weight, expected.weight)
    assert torch.equal(found.bias, expected.bias)
    assert torch.equal(layer.weight, before)


def test_mixed_codes_have_mixed_kernels(conv):
    a, b = torch.randn(2, 1, 6).double()
    factor = torch.ones(1, 4).double()
    half = conv.merged((a + b) / 2, factor).weight
    torch.testing.assert_close(half, (conv.merged(a, factor).weight + conv.merged(b, factor).weight) / 2)


def test_one_kernel_is_a_plain_convolution():
    layer = DynamicConv3x3(4, 6, 1)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    torch.testing.assert_close(layer.merged(torch.randn(1, 6), torch.ones(1, 4)).weight[0], layer.weight)


def test_kernels_are_merged_in_full_precision_under_autocast():
    torch.manual_seed(0)
    layer, w, factor = DynamicConv3x3(4, 6, 3), torch.randn(2, 6), torch.rand(2, 4)
    expected = layer.merged(w, factor)
    with torch.autocast("cpu", torch.bfloat16):
        found = layer.merged(w, factor)
    assert torch.equal(found.weight, expected.weight)
    assert torch.equal(found.bias, expected.bias)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_every_picture_has_its_own_kernels(conv, device):
    """On a GPU one grouped convolution does it; `meta` goes that way, without numbers."""
    kernels = conv.merged(torch.randn(3, 6).double(), torch.ones(3, 4).double())
    x = torch.randn(3, 4, 7, 9).double()
    if device == "meta":
        kernels = type(kernels)(kernels.weight.to(device), kernels.bias.to(device))
        assert kernels.convolve(x.to(device)).shape == (3, 4, 5, 7)
        return
    found = kernels.convolve(x)
    for i in range(3):
        torch.testing.assert_close(found[[i]], F.conv2d(x[[i]], kernels.weight[i], kernels.bias[i]))


def test_a_mixture_that_is_not_merged_paints_the_same_and_has_the_same_gradients(conv):
    """How a batch is trained on a GPU."""
    conv.requires_grad_(True)
    torch.manual_seed(1)
    w, factor, x = torch.randn(3, 6).double(), torch.rand(3, 4).double(), torch.randn(3, 4, 7, 9).double()
    x = x.contiguous(memory_format=torch.channels_last)
    inputs = [each.requires_grad_() for each in (w, factor, x)] + list(conv.parameters())
    upstream = torch.randn(3, 4, 5, 7).double()
    found, expected = (make(w, factor).convolve(x) for make in (conv.mixtures, conv.merged))
    torch.testing.assert_close(found, expected)
    for one, other in zip(
        torch.autograd.grad(found, inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
    # On the way the maps stay channels_last, since GPUs are fast at those.
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("device", "count", "merged"), [("cpu", 3, True), ("meta", 3, False), ("meta", 1, True)]
)
def test_kernels_of_a_batch_are_merged_except_in_training_on_a_gpu(conv, device, count, merged, monkeypatch):
    """`meta` takes a GPU's way, without numbers; autocast does not know it."""
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())
    w, factor = torch.randn(count, 6, device=device).double(), torch.ones(count, 4, device=device).double()
    layer = conv.to(device)
    x = torch.randn(count, 4, 7, 9, device=device).double()
    for how, expected in ((Trained(), merged), (Frozen(), True)):
        kernels = how.kernels(layer, w, factor)
        assert isinstance(kernels, Kernels) == expected
        assert kernels.convolve(x).shape == (count, 4, 5, 7)


def test_the_border_is_that_of_a_plain_convolution():
    x = torch.randn(1, 3, 6, 8)
    layer = Conv3x3(3, 3)
    for rows in (Strip(0, 6, 6), Strip(0, 2, 6), Strip(2, 4, 6), Strip(3, 6, 6)):
        seen = rows.widened(1).rows(x)
        padded = pad_reflected(seen, rows)
        expected = layer(seen, **rows.borders)
        torch.testing.assert_close(F.conv2d(padded, layer.weight, layer.bias), expected)


def shares_of(height, width):
    """A style at the left, one in a corner of the right, one everywhere else, with soft edges."""
    values = torch.zeros(height, width, 3).double()
    values[:, : width // 2, 0] = 1
    values[: height // 3, -3:, 1] = 0.3
    values[..., 2] = 1 - values.sum(-1)
    return Shares(values)


@pytest.mark.parametrize("rows", [(0, 9), (0, 3), (2, 6), (5, 9)])
def test_several_styles_in_one_picture_are_the_mean_of_their_pictures(conv, rows):
    shares = shares_of(9, 10)
    kernels = conv.merged(torch.randn(3, 6).double(), torch.randn(3, 4).double())
    x = torch.randn(1, 4, 9, 10).double().contiguous(memory_format=torch.channels_last)
    strip = Strip(*rows, 9)
    found = Frozen().convolve(strip.widened(1).rows(x), kernels, strip, shares)
    padded = pad_reflected(x, Strip.whole(9))
    each = [F.conv2d(padded, weight, bias) for weight, bias in zip(kernels.weight, kernels.bias, strict=True)]
    expected = sum(part * shares.values[..., i] for i, part in enumerate(each))
    torch.testing.assert_close(found, expected[:, :, strip.start : strip.stop])


def test_styles_cost_only_where_they_rule(conv, monkeypatch):
    seen = []
    plain = F.conv2d
    monkeypatch.setattr(F, "conv2d", lambda x, *rest: seen.append(tuple(x.shape[2:])) or plain(x, *rest))
    kernels = conv.merged(torch.randn(3, 6).double(), torch.ones(3, 4).double())
    x = torch.randn(1, 4, 9, 10).double()
    strip = Strip(4, 8, 9)
    Frozen().convolve(strip.widened(1).rows(x), kernels, strip, shares_of(9, 10))
    # The left half; nothing of the corner, which is further up; the right half. All with a border.
    assert seen == [(6, 7), (6, 7)]


def test_shares_know_the_columns_of_every_style():
    shares = shares_of(9, 10)
    assert [shares.columns(style, Strip(0, 9, 9)) for style in range(3)] == [
        Strip(0, 5, 10),
        Strip(7, 10, 10),
        Strip(5, 10, 10),
    ]
    assert shares.columns(1, Strip(3, 9, 9)) is None
    factor = torch.randn(3, 4, 1, 1).double()
    blended = shares.blend(factor, Strip(1, 3, 9))
    assert blended.shape == (1, 4, 2, 10)
    torch.testing.assert_close(blended[0, :, 0, 0], factor[0].flatten())
    torch.testing.assert_close(blended[0, :, 1, 9], (0.3 * factor[1] + 0.7 * factor[2]).flatten())
