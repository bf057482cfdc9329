"""The discriminator: scales, spectral norm, gradients, and that it learns to tell paintings from photos."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from brushwork.models.discriminator import SCALES, Discriminator
from brushwork.models.perception.vgg import LossNetwork, features_at_half
from brushwork.pictures.tensors import load_square
from brushwork.training.losses import fake_loss, real_loss


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return LossNetwork()


@pytest.fixture
def discriminator() -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(channels=8)


def features(height: int, width: int) -> dict[str, torch.Tensor]:
    sizes = zip(SCALES.items(), (2, 4, 8, 8, 16), strict=True)
    return {name: size * torch.rand(2, c, height // s, width // s) for (name, (c, size)), s in sizes}


def judged(network: LossNetwork, image: torch.Tensor) -> dict[str, torch.Tensor]:
    return network(image) | features_at_half(network, image)


def test_patch_logits_at_five_scales(discriminator: Discriminator, network: LossNetwork) -> None:
    logits = discriminator(judged(network, torch.rand(2, 3, 128, 96)))
    sizes = [tuple(x.shape) for x in logits]
    assert sizes == [(2, 1, 128 // s, 96 // s) for s in (4, 8, 16, 16, 32)]


def test_the_smallest_crops_of_training_are_judged(
    discriminator: Discriminator, network: LossNetwork
) -> None:
    assert [x.shape[-1] for x in discriminator(judged(network, torch.rand(2, 3, 32, 32)))] == [8, 4, 2, 2, 1]


def test_each_logit_sees_11_of_the_features_pixels(discriminator: Discriminator) -> None:
    maps = torch.rand(1, 256, 32, 32, requires_grad=True)
    discriminator.scales["relu3_1"](maps)[0, 0, 8, 8].backward()
    rows = maps.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    columns = maps.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == 11
    assert columns[-1] - columns[0] + 1 == 11


def test_features_of_any_type_are_judged_alike(discriminator: Discriminator) -> None:
    maps = features(32, 32)
    discriminator.eval()
    expected = discriminator(maps)
    for dtype, tolerance in ((torch.bfloat16, 0.05), (torch.float64, 1e-5)):
        found = discriminator.to(torch.float64 if dtype == torch.float64 else torch.float32)(
            {name: x.to(dtype) for name, x in maps.items()}
        )
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a.float(), b, atol=tolerance, rtol=tolerance)


def test_the_scales_bring_paintings_features_to_a_size_of_1(network: LossNetwork, inputs_dir: Path) -> None:
    paintings = torch.cat([load_square(p, 192) for p in sorted(inputs_dir.glob("art-*.jpg"))])
    maps = judged(network, paintings)
    for name, (channels, size) in SCALES.items():
        assert maps[name].shape[1] == channels
        assert 0.5 < maps[name].square().mean().sqrt() / size < 2


def test_spectral_norm_bounds_every_layer_but_the_last(discriminator: Discriminator) -> None:
    with torch.no_grad():
        for convolution in discriminator.modules():
            if hasattr(convolution, "parametrizations"):
                convolution.parametrizations.weight.original.mul_(7)
    # Each forward pass in training is one step of the power iteration.
    for _ in range(50):
        discriminator(features(32, 32))
    discriminator.eval()
    for patch in discriminator.scales.values():
        *layers, last = [m for m in patch if isinstance(m, nn.Conv2d)]
        assert len(layers) == 3
        assert not hasattr(last, "parametrizations")
    layers = [m for p in discriminator.scales.values() for m in p if hasattr(m, "parametrizations")]
    assert len(layers) == 15
    for layer in layers:
        largest = torch.linalg.svdvals(layer.weight.flatten(1))[0].item()
        assert largest == pytest.approx(1, abs=0.05)


def test_gradients_reach_every_parameter_and_the_picture(
    discriminator: Discriminator, network: LossNetwork
) -> None:
    image = torch.rand(2, 3, 64, 64, requires_grad=True)
    sum(x.mean() for x in discriminator(judged(network, image))).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in discriminator.parameters())
    assert image.grad.abs().max() > 0


def test_it_learns_to_tell_paintings_from_photos(network: LossNetwork, inputs_dir: Path) -> None:
    """Also in crops that it has not seen: the right halves, trained on the left."""
    torch.manual_seed(0)
    discriminator = Discriminator(channels=16)
    pictures = [
        torch.cat([load_square(p, 128) for p in sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:6]])
        for kind in ("art", "photo")
    ]
    seen, unseen = (
        [judged(network, x[..., part]) for x in pictures] for part in (slice(64), slice(64, None))
    )
    optimizer = torch.optim.Adam(discriminator.parameters(), 4e-3, betas=(0.5, 0.99))
    for _ in range(30):
        optimizer.zero_grad()
        (real_loss(discriminator(seen[0])) + fake_loss(discriminator(seen[1]))).backward()
        optimizer.step()
    with torch.no_grad():
        art, photos = (torch.stack([x.mean() for x in discriminator(maps)]).mean() for maps in unseen)
    assert art - photos > 0.2
