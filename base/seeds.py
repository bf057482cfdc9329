"""Seeds: which numbers they may be, and those for the parts of something random that has one seed itself."""

from __future__ import annotations

from typing import cast

from .excerpt import excerpt
from .settings import is_whole

LARGEST_SEED = 2**64 - 1


def check_seed(seed: object) -> None:
    """Raise ValueError, one sentence, unless `seed` is a whole number from 0 to 2**64 - 1."""
    if not is_whole(seed) or not 0 <= int(cast(int, seed)) <= LARGEST_SEED:
        raise ValueError(f"seed is {excerpt(str(seed), 30)}; give a whole number from 0 to {LARGEST_SEED}.")


def derived_seed(seed: int, index: int) -> int:
    """The seed of part `index`, for a generator of PyTorch: the parts of one seed, and of near ones, differ.

    >>> derived_seed(2, 5)
    2000011
    """
    return (seed * 1_000_003 + index) % 2**63
