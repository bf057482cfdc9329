"""Targets that are computed once and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from brushwork.models.perception.statistics import gram_and_mean, mean_std, normalized
from brushwork.models.perception.vgg import CONTENT_LAYER, STYLE_LAYERS, LossNetwork
from brushwork.training.crop_pool import CropPool, CropRule
from brushwork.training.targets import TargetCache, content_target, style_target, unpack_style_target

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return LossNetwork()


@pytest.fixture(scope="module")
def pool(paintings: list[Path]) -> CropPool:
    return CropPool(paintings, CropRule(48, 48, 64), variants=2, seed=1)


def test_style_target_unpacks_to_the_statistics(network: LossNetwork, artwork: Tensor) -> None:
    image = artwork[:, :, :64, :64]
    grams, moments = unpack_style_target(style_target(network, image))
    features = network(image)
    for name in STYLE_LAYERS:
        expected = gram_and_mean(features[name])[0]
        assert torch.allclose(grams[name], expected, rtol=0.005, atol=0.005 * float(expected.abs().mean()))
        expected = mean_std(features[name])
        assert torch.allclose(moments[name], expected, rtol=0.01, atol=0.005 * float(expected.mean()))


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
