"""Shifted windows and their alignment, on pictures where the answer is known; and of real systems."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from benchmarks.peers import Setup, UntouchedContent
from benchmarks.quality.steadiness import MARGIN, SHIFTS, unsteadiness, unsteadiness_of, windows
from brushwork.pictures.tensors import load_picture


@pytest.fixture(scope="module")
def scene(inputs_dir):
    return load_picture(inputs_dir / "photo-animal-otters.jpg", 128)


def test_windows(scene):
    cut = windows(scene)
    assert len(cut) == 8
    height, width = scene.shape[-2] - 7, scene.shape[-1] - 7
    assert {window.shape for window in cut} == {(1, 3, height, width)}
    assert torch.equal(cut[7], scene[:, :, 7:, 7:])
    assert torch.equal(cut[0][:, :, 3, 5], cut[2][:, :, 1, 3])


def test_what_moves_along_is_steady(scene):
    assert unsteadiness(windows(scene)) == [0.0] * len(SHIFTS)
    # Whatever looks at each place's surroundings alone moves along, too.
    blurred = [F.avg_pool2d(window, 5, stride=1, padding=2) for window in windows(scene)]
    assert max(unsteadiness(blurred)) < 1e-4


def test_a_grid_that_stays_where_it_is_shimmers(scene):
    def gridded(window):
        """Every fourth column brighter by 40 levels, counted from the picture's own left side."""
        columns = (torch.arange(window.shape[-1]) % 4 == 0).float()
        return window + columns * 40 / 255

    found = unsteadiness([gridded(window) for window in windows(scene)])
    # Shifted by 4 the grids lie on each other; else half of the columns differ by 40.
    assert found[3] == pytest.approx(0, abs=1e-4)
    for shift in (1, 2, 3, 5, 6, 7):
        assert found[shift - 1] == pytest.approx(20, rel=0.1)


def test_the_border_does_not_count(scene):
    framed = []
    for window in windows(scene):
        framed.append(window.clone())
        framed[-1][:, :, :, : MARGIN - 7] = 0
    assert max(unsteadiness(framed)) == 0


def test_too_small_pictures_are_refused():
    with pytest.raises(ValueError, match="more than 71 pixels"):
        unsteadiness([torch.zeros(1, 3, 71, 200)] * 8)


def test_steadiness_of_systems(ours, gallery, pairs):
    (still,) = unsteadiness_of(gallery, UntouchedContent(Setup()), pairs[:1])
    assert still == [0.0] * 7
    (found,) = unsteadiness_of(gallery, ours, pairs[:1])
    assert len(found) == 7
    assert min(found) > 0
