"""DiffAugment: what D sees."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from brushwork.models.perception.vgg import LossNetwork
from brushwork.training.augment import DRAWS, diff_augment


def draws(count: int, seed: int) -> Tensor:
    return torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def features(photo: Tensor) -> dict[str, Tensor]:
    """Of three pictures, all the same."""
    maps = LossNetwork()(photo[:, :, :64, :64].repeat(3, 1, 1, 1))
    return {name: maps[name] for name in ("relu2_1", "relu4_1")}


def test_same_draw_same_features_and_each_picture_its_own(features: dict[str, Tensor]) -> None:
    once, again = diff_augment(features, draws(3, 1)), diff_augment(features, draws(3, 1))
    other = diff_augment(features, draws(3, 2))
    for name, maps in features.items():
        assert once[name].shape == maps.shape
        assert torch.equal(once[name], again[name])
        assert not torch.equal(once[name], other[name])
        assert not torch.equal(once[name][0], once[name][1])


def test_each_picture_is_changed_as_it_would_be_alone(features: dict[str, Tensor]) -> None:
    numbers = draws(3, 1)
    together = diff_augment(features, numbers)
    for i in range(3):
        alone = diff_augment({name: maps[i : i + 1] for name, maps in features.items()}, numbers[i : i + 1])
        for name in features:
            torch.testing.assert_close(together[name][i : i + 1], alone[name])


def test_cutout_and_shift_leave_most_and_lie_alike_in_all_layers() -> None:
    maps = {"relu2_1": torch.ones(16, 3, 80, 80), "relu4_1": torch.ones(16, 3, 20, 20)}
    changed = diff_augment(maps, draws(16, 3))
    zero = (changed["relu2_1"] == 0).float().mean((1, 2, 3))
    # The rectangle alone covers 0.4 x 0.4 of the area; shifting adds at most 2 x 1/8.
    assert (zero >= 0.15).all()
    assert (zero <= 0.16 + 0.25 + 0.01).all()
    coarse = torch.nn.functional.avg_pool2d(changed["relu2_1"], 4)
    assert ((coarse - changed["relu4_1"]).abs() < 0.1).float().mean() > 0.75
    # The factor of a picture: 0.75 to 1.25, the same in every layer.
    factors = changed["relu2_1"].amax((1, 2, 3))
    torch.testing.assert_close(factors, changed["relu4_1"].amax((1, 2, 3)))
    assert factors.min() >= 0.75
    assert factors.max() <= 1.25
    assert factors.std() > 0.05


def test_gradient_passes_through(features: dict[str, Tensor]) -> None:
    maps = features["relu4_1"].requires_grad_(True)
    diff_augment(features, draws(3, 1))["relu4_1"].sum().backward()
    assert torch.isfinite(maps.grad).all()
    assert (maps.grad != 0).float().mean() > 0.4


def test_the_gradient_is_that_of_a_linear_change() -> None:
    # A(x) is linear in x, so its derivative along y is A(y), whatever was written for the backward pass.
    generator = torch.Generator().manual_seed(4)
    x, y, w = (torch.randn(4, 3, 24, 17, dtype=torch.float64, generator=generator) for _ in range(3))
    numbers = draws(4, 5)
    (diff_augment({"maps": x.requires_grad_(True)}, numbers)["maps"] * w).sum().backward()
    expected = (diff_augment({"maps": y}, numbers)["maps"] * w).sum((1, 2, 3))
    torch.testing.assert_close((x.grad * y).sum((1, 2, 3)), expected)


def test_pictures_move_in_all_directions_by_an_eighth_at_most() -> None:
    dot = torch.zeros(64, 1, 40, 40)
    dot[:, :, 20, 20] = 1
    numbers = draws(64, 6)
    numbers[:, 3:] = 0  # the rectangle lies in the corner, away from the dot
    moved = diff_augment({"maps": dot}, numbers)["maps"]
    places = (moved[:, 0] > 0).nonzero()[:, 1:] - 20
    assert len(places) == 64
    assert places.amin(0).tolist() == [-5, -5]
    assert places.amax(0).tolist() == [5, 5]
