"""Pixels that move as a Laplacian pyramid."""

from __future__ import annotations

import pytest
import torch

from brushwork.painting.pyramid_canvas import PyramidCanvas


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (33, 47), (64, 64), (130, 70)], ids=str)
def test_the_levels_are_the_picture(texture, size):
    picture = texture(1, 3, *size).float()
    canvas = PyramidCanvas(picture, 4)
    canvas.move(torch.zeros_like(picture))
    assert float((canvas.picture - picture).abs().max()) < 1e-5
    assert not canvas.picture.requires_grad


def test_steps_lower_a_loss_and_do_not_change_the_picture_that_was_given(texture):
    picture, wanted = texture(2, 3, 40, 48).float(), texture(2, 3, 40, 48, seed=1).float()
    before = picture.clone()
    canvas = PyramidCanvas(picture, 30)
    for _ in range(30):
        canvas.move(canvas.picture - wanted)
    assert float((canvas.picture - wanted).square().mean()) < 0.2 * float((picture - wanted).square().mean())
    assert torch.equal(picture, before)


def test_a_large_shape_moves_as_fast_as_a_pixel(texture):
    """One step of the same gradient everywhere moves all levels, each by its rate."""
    picture = texture(1, 3, 64, 64).float()
    canvas = PyramidCanvas(picture, 10)
    canvas.move(torch.ones_like(picture))
    even = float((picture - canvas.picture).mean())
    canvas = PyramidCanvas(picture, 10)
    rows = torch.ones_like(picture)
    rows[..., ::2, :] = -1
    canvas.move(rows)
    assert even > 3 * float((picture - canvas.picture).abs().mean())


def test_a_gradient_that_is_not_finite_breaks_nothing(texture):
    pictures = texture(2, 3, 24, 24).float()
    canvas = PyramidCanvas(pictures, 4)
    gradient = torch.ones_like(pictures)
    gradient[0, 0, 0, 0] = torch.nan
    canvas.move(gradient)
    assert float((canvas.picture[0] - pictures[0]).abs().max()) < 1e-5
    assert float((canvas.picture[1] - pictures[1]).abs().min()) > 1e-3


def test_the_result_is_in_range():
    canvas = PyramidCanvas(torch.rand(1, 3, 16, 16), 4)
    assert float(canvas.finished(torch.full((1, 3, 16, 16), 1.5)).max()) == 1
