"""Random crops, made once and drawn in epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.training.crop_pool import CropPool, CropRule, batch_indices


def test_crop_rule_refuses_crops_larger_than_the_picture() -> None:
    with pytest.raises(ValueError, match="A crop of 64 px needs pictures of 32 to 80 px"):
        CropRule(64, 32, 80)


def test_pool_is_reproducible_and_varied(photos: list[Path]) -> None:
    rule = CropRule(32, 48, 96)
    pool = CropPool(photos, rule, variants=3, seed=5)
    again = CropPool(photos, rule, variants=3, seed=5)
    other_round = CropPool(photos, rule, variants=3, seed=5, round_=1)

    assert pool.crops.shape == (len(photos) * 3, 3, 32, 32)
    assert torch.equal(pool.crops, again.crops)
    assert len({crop.numpy().tobytes() for crop in pool.crops}) == len(pool)
    assert not torch.equal(pool.crops, other_round.crops)
    # Crop k of picture i does not depend on which other pictures there are.
    alone = CropPool(photos[:1], rule, variants=3, seed=5)
    assert torch.equal(pool.crops[:3], alone.crops)
    batch = pool.batch(torch.tensor([4, 0]), torch.device("cpu"))
    assert batch.dtype == torch.float32
    assert batch.max() <= 1
    assert torch.equal((batch * 255).round().byte(), pool.crops[[4, 0]])


def test_crops_lie_inside_the_picture_and_are_mirrored_half_the_time(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (96, 1))
    Image.fromarray(np.stack([ramp] * 3, 2)).save(tmp_path / "ramp.png")
    pool = CropPool([tmp_path / "ramp.png"], CropRule(32, 96, 96), variants=200, seed=0)
    rises = (pool.crops[:, 0, 0, -1].int() > pool.crops[:, 0, 0, 0].int()).float().mean()
    assert 0.35 < rises < 0.65


def test_every_epoch_sees_every_item_once_in_a_new_order() -> None:
    batch, length = 4, 10
    seen = torch.cat([batch_indices(step, batch, length, seed=3) for step in range(10)])
    epochs = seen.view(4, 10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 4
    assert not torch.equal(batch_indices(0, batch, length, seed=4), batch_indices(0, batch, length, seed=3))
