"""DiffAugment: what D sees."""

from __future__ import annotations

import torch
from torch import Tensor

from brushwork.training.augment import DRAWS, diff_augment


def draws(count: int, seed: int) -> Tensor:
    return torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(seed))


def test_same_draw_same_picture_and_each_picture_its_own(photo: Tensor) -> None:
    batch = photo[:, :, :64, :64].repeat(3, 1, 1, 1)
    once, again = diff_augment(batch, draws(3, 1)), diff_augment(batch, draws(3, 1))
    assert once.shape == batch.shape
    assert torch.equal(once, again)
    assert not torch.equal(once, diff_augment(batch, draws(3, 2)))
    assert not torch.equal(once[0], once[1])


def test_each_picture_is_changed_as_it_would_be_alone(photo: Tensor) -> None:
    batch, numbers = photo[:, :, :64, :64].repeat(3, 1, 1, 1), draws(3, 1)
    together = diff_augment(batch, numbers)
    for i in range(3):
        alone = diff_augment(batch[i : i + 1], numbers[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone)


def test_cutout_and_shift_leave_most_of_the_picture(photo: Tensor) -> None:
    batch = torch.ones(16, 3, 40, 40)
    zero = (diff_augment(batch, draws(16, 3)) == 0).float().mean((1, 2, 3))
    # The rectangle alone covers 0.4 x 0.4 of the area; shifting adds at most 2 x 1/8.
    assert (zero >= 0.15).all()
    assert (zero <= 0.16 + 0.25 + 0.01).all()


def test_gradient_passes_through(photo: Tensor) -> None:
    batch = photo[:, :, :64, :64].clone().requires_grad_(True)
    diff_augment(batch, draws(1, 1)).sum().backward()
    assert torch.isfinite(batch.grad).all()
    assert (batch.grad != 0).float().mean() > 0.4
