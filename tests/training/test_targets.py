"""Targets that are computed once and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from brushwork.models.perception.pixel_losses import plain_steps
from brushwork.models.perception.statistics import gram_and_mean, mean_std, normalized
from brushwork.models.perception.vgg import CONTENT_LAYER, STYLE_LAYERS, LossNetwork
from brushwork.training import targets
from brushwork.training.crop_pool import CropPool, CropRule
from brushwork.training.targets import TargetCache, content_target, style_target, unpack_style_target

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("slim_loss_network")


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return LossNetwork()


@pytest.fixture(scope="module")
def pool(paintings: list[Path]) -> CropPool:
    return CropPool(paintings, CropRule(48, 48, 64), variants=2, seed=1)


@pytest.mark.parametrize("sizes", [("whole", "half", "quarter"), ("half",), ("whole", "quarter")])
def test_style_target_unpacks_to_the_statistics_at_each_size(
    sizes: tuple[str, ...], network: LossNetwork, artwork: Tensor
) -> None:
    image = torch.cat([artwork[:, :, :64, :64], artwork[:, :, 64:, 64:][:, :, :64, :64]])
    target = unpack_style_target(style_target(network, image, sizes), sizes)
    assert tuple(target.statistics) == sizes
    pictures = {"whole": image, "half": F.avg_pool2d(image, 2), "quarter": F.avg_pool2d(image, 4)}
    for size in sizes:
        features = network(pictures[size])
        grams, moments = target.statistics[size]
        for name in STYLE_LAYERS:
            expected = gram_and_mean(features[name])[0]
            atol = 0.005 * float(expected.abs().mean())
            assert torch.allclose(grams[name], expected, rtol=0.005, atol=atol)
            expected = mean_std(features[name])
            assert torch.allclose(moments[name], expected, rtol=0.01, atol=0.005 * float(expected.mean()))
    for found, wanted in zip(target.plain, plain_steps(image), strict=True):
        assert torch.allclose(torch.stack(found), torch.stack(wanted), rtol=0.005)


def test_content_target_is_the_normalised_feature_map(network: LossNetwork, photo: Tensor) -> None:
    image = photo[:, :, :64, :64]
    expected = normalized(network(image)[CONTENT_LAYER])
    assert torch.allclose(content_target(network, image).float().view_as(expected), expected, atol=0.05)


def test_cache_computes_each_crop_once(network: LossNetwork, pool: CropPool) -> None:
    calls = []

    def compute(image: Tensor) -> Tensor:
        calls.append(len(image))
        return content_target(network, image)

    cache = TargetCache(pool, compute, CPU, limit=2**30)
    first = cache.batch(torch.tensor([0, 3, 3, 5]))
    assert calls == [1, 1, 1]
    assert torch.equal(cache.batch(torch.tensor([5, 0])), first[[3, 0]])
    assert calls == [1, 1, 1]


@pytest.mark.parametrize("room", [2, 5, 100])
def test_a_filled_cache_knows_what_fits_and_computes_the_rest_one_by_one(
    room: int, network: LossNetwork, pool: CropPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "FILL_PIXELS", 2 * 48**2)
    calls = []

    def compute(image: Tensor) -> Tensor:
        calls.append(len(image))
        return content_target(network, image)

    lazy = TargetCache(pool, lambda x: content_target(network, x), CPU, limit=2**30)
    expected = lazy.batch(torch.arange(len(pool)))
    cache = TargetCache(pool, compute, CPU, limit=room * expected[0].numel() * 2)
    assert cache.fill() == min(room, len(pool))
    assert cache.known.tolist() == [i < room for i in range(len(pool))]
    assert set(calls) == {2}
    calls.clear()
    assert torch.allclose(cache.batch(torch.arange(len(pool))).float(), expected.float(), atol=0.02)
    assert calls == [1] * max(0, len(pool) - room)


def test_cache_limit_bounds_memory_but_not_the_result(network: LossNetwork, pool: CropPool) -> None:
    def compute(image: Tensor) -> Tensor:
        return content_target(network, image)

    free = TargetCache(pool, compute, CPU, limit=2**30)
    size = free.batch(torch.tensor([0])).numel() * 2
    tight = TargetCache(pool, compute, CPU, limit=2.5 * size)
    everything = torch.arange(len(pool))
    assert torch.equal(tight.batch(everything), free.batch(everything))
    assert len(tight.kept) == 2
    assert tight.known.tolist() == [True, True] + [False] * (len(pool) - 2)
