"""The mean over the places of the grid has no pattern of the grid."""

from __future__ import annotations

import runpy

import pytest
import torch
import torch.nn.functional as F

from brushwork.models import cycle_spinning
from brushwork.models.cycle_spinning import PLACES, spun
from brushwork.models.grid import GRID, grid_corner
from brushwork.painting.fine_contrast import fine_detail


def pattern(picture):
    """How much the mean cell of 4 x 4 pixels differs from an even one, in levels of 255."""
    cells = F.pixel_unshuffle(fine_detail(picture), GRID).mean((0, 2, 3)).view(3, GRID * GRID)
    return float((cells - cells.mean(1, keepdim=True)).std()) * 255


def test_the_grid_is_gone_and_the_picture_is_the_same(woven_gan, photo, artwork):
    style, corner = woven_gan.encode_style(artwork), grid_corner(photo)
    once = woven_gan.generate(woven_gan.encode_content(photo, corner=corner), style)
    mean = spun(woven_gan, photo, corner, lambda content: woven_gan.generate(content, style))
    assert pattern(mean) < 0.1 * pattern(once)
    assert float((F.avg_pool2d(mean, 8) - F.avg_pool2d(once, 8)).abs().mean()) < 0.03


def test_every_place_is_painted_once(gan, photo):
    corners = []
    small = photo[..., :32, :36]
    given = torch.tensor([[3, 1]])
    result = spun(gan, small, given, lambda content: (corners.append(content.corner), small * 3)[1])
    assert len({tuple(corner[0].tolist()) for corner in corners}) == len(PLACES)
    # Values beyond black and white count as black and white.
    assert torch.allclose(result, (small * 3).clamp(0, 1))


@pytest.mark.parametrize("place", [(0, 0), (1, 3)])
def test_the_shipped_network_has_next_to_no_pattern_in_one_pass(gan, scene, artwork, place):
    content = gan.encode_content(scene, corner=torch.tensor([place]))
    painted = gan.generate(content, gan.encode_style(artwork))
    # By chance, the photo itself has 0.42.
    assert pattern(painted) < 0.4


def test_another_packs_default_device_does_not_take_the_places():
    # The module is imported when it is needed, and by then another pack may have chosen a device for all.
    with torch.device("meta"):
        anew = runpy.run_module(cycle_spinning.__name__)
    assert torch.equal(anew["PLACES"], PLACES)
