"""The loss of plain grounds, of the parts that training calls."""

from __future__ import annotations

from torch import Tensor

from brushwork.models.perception.pixel_losses import ground_excess, ground_limits, ground_steps, plain_steps


def ground_loss(image: Tensor, photo: Tensor, painting: Tensor) -> Tensor:
    """The mean over a batch [B,3,H,W]; the painting may have another size."""
    return ground_excess(ground_steps(image), ground_limits(photo, plain_steps(painting))).mean()
