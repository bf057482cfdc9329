"""Cycle spinning: the mean of paintings whose grid begins elsewhere has no pattern of the grid.

The generator paints cells of 4 x 4 pixels, each phase with weights of its own. What the cells have in common
is seen as weave in plain grounds. A mean over the places where the grid can begin has none of it (Coifman &
Donoho 1995), and costs a pass for each.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .content_encoder import ContentCode
from .grid import GRID
from .passes import ForwardPass
from .style_gan import StyleGAN

# All of them: the mean over fewer places keeps some pattern. Every second one, as on a checkerboard, leaves
# the checkerboard itself.
PLACES = torch.tensor([(down, right) for down in range(GRID) for right in range(GRID)], device="cpu")


@torch.no_grad()
def spun(
    gan: StyleGAN,
    photo: Tensor,
    corner: Tensor,
    paint: Callable[[ContentCode], Tensor],
    how: ForwardPass | None = None,
) -> Tensor:
    """The mean of what `paint` makes of photo [B,3,H,W] at all places of the grid, [B,3,H,W] in 0..1.

    corner [B or 1,2]: where the first grid begins, as `grid_corner` gives it. `how` is for the encoder.

    >>> gan, photo = StyleGAN.default(), torch.rand(1, 3, 40, 56)
    >>> style = gan.encode_style(photo)
    >>> spun(gan, photo, torch.tensor([[0, 0]]), lambda content: gan.generate(content, style)).shape
    torch.Size([1, 3, 40, 56])
    """
    total = torch.zeros_like(photo)
    for place in PLACES:
        content = gan.encode_content(photo, how, (corner + place) % GRID)
        total += paint(content).clamp(0, 1)
    return total / len(PLACES)
