"""Seeds for the parts of something random that has one seed itself."""

from __future__ import annotations


def derived_seed(seed: int, index: int) -> int:
    """The seed of part `index`, for a generator of PyTorch: the parts of one seed, and of near ones, differ.

    >>> derived_seed(2, 5)
    2000011
    """
    return (seed * 1_000_003 + index) % 2**63
