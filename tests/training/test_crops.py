"""Batches: what is drawn for a step depends on the run's seed and the step alone."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from brushwork.models.perception.vgg import LossNetwork
from brushwork.training.crops import Batch, CropSource
from brushwork.training.options import TrainOptions

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("slim_loss_network")


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return LossNetwork()


@pytest.fixture
def options(small: TrainOptions) -> TrainOptions:
    return replace(small, batch_size=8, identity_share=0.25)


def source(
    options: TrainOptions, photos: list[Path], paintings: list[Path], network: LossNetwork
) -> CropSource:
    return CropSource(options, photos, paintings, network, CPU, lambda text: None)


def same(one: Batch, other: Batch) -> bool:
    def equal(a: object, b: object) -> bool:
        return torch.equal(a, b) if isinstance(a, Tensor) and isinstance(b, Tensor) else a == b

    return all(equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Batch))


def joined(parts: list[Batch], name: str) -> Tensor:
    return torch.cat([getattr(part, name) for part in parts])


class TestDraws:
    def test_a_step_is_the_same_whatever_came_before(
        self, options: TrainOptions, photos: list[Path], paintings: list[Path], network: LossNetwork
    ) -> None:
        crops = source(options, photos, paintings, network)
        third = [crops.batch(step) for step in range(3)][2]
        assert same(source(options, photos, paintings, network).batch(2), third)

    @pytest.mark.parametrize("world", [2, 4])
    def test_processes_and_parts_share_the_draws_of_the_whole_batch(
        self,
        world: int,
        options: TrainOptions,
        photos: list[Path],
        paintings: list[Path],
        network: LossNetwork,
    ) -> None:
        crops = source(options, photos, paintings, network)
        whole = crops.batch(1)
        processes = [crops.batch(1, rank, world) for rank in range(world)]
        parts = [whole.part(start, start + 3) for start in range(0, 8, 3)]
        for split in (processes, parts):
            for name in ("content", "style", "seeds", "draws", "identity_mask"):
                assert torch.equal(joined(split, name), getattr(whole, name)), name
            assert all(torch.equal(part.shift, whole.shift) for part in split)

    def test_every_picture_of_a_run_has_a_seed_of_its_own(
        self, options: TrainOptions, photos: list[Path], paintings: list[Path], network: LossNetwork
    ) -> None:
        first, other = (source(replace(options, seed=seed), photos, paintings, network) for seed in (1, 2))
        seeds = torch.cat([crops.batch(step).seeds for crops in (first, other) for step in range(3)])
        assert seeds.dtype == torch.int64
        assert (seeds >= 0).all()
        assert len(seeds.unique()) == len(seeds) == 48


class TestUse:
    def test_paintings_in_their_own_style_come_last(
        self, options: TrainOptions, photos: list[Path], paintings: list[Path], network: LossNetwork
    ) -> None:
        batch = source(options, photos, paintings, network).batch(0)
        assert batch.photos == 6
        assert batch.identity_mask.tolist() == [False] * 6 + [True] * 2
        assert torch.equal(batch.content[6:], batch.real()[6:])
        assert not torch.equal(batch.content[:6], batch.real()[:6])
        assert batch.part(4, 8).photos == 2

    def test_sizes_without_a_share_have_no_target(
        self, options: TrainOptions, photos: list[Path], paintings: list[Path], network: LossNetwork
    ) -> None:
        crops = source(replace(options, size_shares=(0.5, 0.0, 0.5)), photos, paintings, network)
        target, _ = crops.style_targets(crops.batch(0))
        assert list(target.statistics) == ["whole", "quarter"]

    def test_the_learned_code_aims_at_the_collection(
        self, options: TrainOptions, photos: list[Path], paintings: list[Path], network: LossNetwork
    ) -> None:
        crops = source(replace(options, mode="fine_tune"), photos, paintings, network)
        batch = crops.batch(0)
        assert batch.learned_mask.tolist() == [True] * 2 + [False] * 6
        target, (mean, covariance) = crops.style_targets(batch)
        own, (own_mean, own_covariance) = crops.style_targets(
            replace(batch, learned_mask=torch.zeros(8, dtype=torch.bool))
        )
        everything = [own.statistics["half"][0]["relu4_1"], own_mean, own_covariance]
        found = [target.statistics["half"][0]["relu4_1"], mean, covariance]
        for one, each in zip(found, everything, strict=True):
            assert torch.equal(one[2:], each[2:])
            assert torch.equal(one[0], one[1])
        # Six crops of three paintings: their mean colour is that of the collection.
        pool = crops.style_pool.batch(torch.arange(len(crops.style_pool)), CPU)
        assert torch.allclose(mean[0], pool.mean((0, 2, 3)), atol=1e-5)

    def test_the_collection_is_spread_over_all_paintings(
        self, options: TrainOptions, photos: list[Path], paintings: list[Path], network: LossNetwork
    ) -> None:
        # 99 crops, more than are looked at and less than twice as many.
        many = replace(options, mode="fine_tune", variants=33, style_resolution=48, style_scale=(48, 48))
        crops = source(many, photos[:1], paintings[:3], network)
        _, (mean, _) = crops.style_targets(crops.batch(0))
        pool = crops.style_pool.batch(torch.arange(99), CPU)
        assert torch.allclose(mean[0], pool.mean((0, 2, 3)), atol=0.01)
