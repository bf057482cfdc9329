"""Frames and paper around a painting are not read."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from brushwork.painting.options import RefineOptions
from brushwork.painting.sources import Sources, without_frame


def framed(painting, left, right, top, bottom):
    """The painting with white paper around it, and a black line between the two."""
    sides = (left, right, top, bottom)
    for color, widths in ((0.0, [1 if side else 0 for side in sides]), (0.95, sides)):
        painting = F.pad(painting, tuple(widths), value=color)
    return painting


def test_pictures_without_a_frame_stay_whole(artwork, photo):
    for picture in (artwork, photo):
        assert torch.equal(without_frame(picture), picture)


@pytest.mark.parametrize("sides", [(4, 4, 4, 4), (5, 0, 0, 0), (0, 3, 0, 0), (0, 0, 4, 0), (0, 2, 0, 5)])
def test_paper_and_lines_around_a_painting_go(artwork, sides):
    assert torch.equal(without_frame(framed(artwork, *sides)), artwork)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (17, 40)])
def test_small_and_plain_paintings_stay(size):
    plain = torch.full((1, 3, *size), 0.5)
    assert torch.equal(without_frame(plain), plain)


def test_strokes_keep_their_size_without_the_frame(artwork):
    """The painting is read in the scale in which it has the photo's area with its frame."""
    framed_artwork = framed(artwork, 4, 4, 4, 4)
    sources = Sources(None, artwork, framed_artwork, None, (), RefineOptions())
    size = (artwork.shape[-2], artwork.shape[-1])
    read = sources.mixtures_at(size)[0].paintings[0]
    scale = (size[0] * size[1] / (framed_artwork.shape[-2] * framed_artwork.shape[-1])) ** 0.5
    assert read.shape[-2] == pytest.approx(size[0] * scale, abs=1)
    assert read.shape[-1] == pytest.approx(size[1] * scale, abs=1)
