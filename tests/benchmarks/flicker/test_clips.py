"""The clips that flicker is measured on: their motion is what they say it is."""

from __future__ import annotations

import pytest
import torch

from benchmarks.flicker import clips


@pytest.fixture(scope="module")
def city(inputs_dir):
    return inputs_dir / "photo-city-singapore.jpg"


def test_the_pan_moves_as_it_says(city, monkeypatch):
    monkeypatch.setattr(clips, "NOISE", 0.0)
    pan = clips.pan(city, 96, 5)
    unmoved = clips.Clip(pan.name, pan.frames, pan.place)
    assert pan.flicker(pan.frames) < 0.25 * unmoved.flicker(pan.frames)


def test_only_noise_moves_in_the_still(city):
    still = clips.still(city, 96, 4)
    # Two normal deviates of deviation 2 differ by 2.26 on average; less where 0 and 255 clip them.
    assert 1.8 < still.flicker(still.frames) < 2.4


def test_the_object_stays_in_its_corner(city, inputs_dir):
    corner = clips.corner(city, inputs_dir / "photo-portrait-astronaut.jpg", 96, 5)
    assert corner.flicker(corner.frames) == 0
    assert (corner.frames[2] - corner.frames[0]).abs().max() > 0.3


def test_flicker_is_in_levels_of_255(city):
    still = clips.still(city, 64, 3)
    painted = torch.stack([torch.full_like(still.frames[0], level / 255) for level in (10, 12, 10)])
    assert still.flicker(painted) == pytest.approx(2, abs=1e-3)
