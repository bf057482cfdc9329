"""Glows beside outlines go, and the ground is as light there as it is farther away."""

from __future__ import annotations

import torch
from torch import Tensor

from brushwork.painting.calm_grounds import blurred
from scripts.rims import without_rims


def figure() -> Tensor:
    """A dark disc on a light ground, 1 inside and 0 outside, [1,1,128,128]."""
    down, right = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    return (((right - 64).square() + (down - 64).square()).sqrt() < 30).float()[None, None]


def test_a_glow_goes_and_the_figure_stays():
    inside = figure()
    photo = (0.8 - 0.6 * inside).expand(-1, 3, -1, -1).contiguous()
    ground = 0.5 - 0.35 * inside
    # A light rim of some pixels, as networks paint it, and grain.
    glow = 0.25 * (blurred(inside, 4.0) * (1 - inside)) * 2
    grain = 0.02 * torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    picture = (ground + glow + grain).expand(-1, 3, -1, -1).contiguous()
    done = without_rims(picture, photo)
    rim = (blurred(inside, 4.0) > 0.05) & (inside < 0.5)

    def off(found: Tensor) -> float:
        return float((found[:, :1] - ground - grain)[rim].abs().mean())

    assert off(done) < 0.4 * off(picture)
    kept = (done - picture)[:, :1][inside > 0.5].abs()
    assert float(kept.mean()) < 0.01


def test_colours_stay(photo: Tensor, scene: Tensor):
    for picture in (photo, scene):
        done = without_rims(picture.flip(1), picture)
        assert 0 <= float(done.min()) <= float(done.max()) <= 1
        # Light and dark alone move, so channels move together where none is clipped.
        change = done - picture.flip(1)
        open_ = ((done > 0) & (done < 1)).all(1)
        assert float((change.amax(1) - change.amin(1))[open_].max()) < 1e-5
