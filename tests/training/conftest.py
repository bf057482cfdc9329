"""Small runs, on the pictures that ship with the workflows."""

from __future__ import annotations

import pytest
from small_run import SMALL

from brushwork.training.options import TrainOptions


@pytest.fixture
def small() -> TrainOptions:
    """A run of 6 steps that goes through every phase."""
    return SMALL
