"""The batch rule: inputs of 1 or N pictures go together, and a single one goes with all of the others."""

from __future__ import annotations

from torch import Tensor


def match_batch(*batches: int, what: str) -> int:
    """The common batch size of inputs that each hold 1 or N pictures.

    Raises ValueError when two inputs hold different numbers above 1, or one holds none.

    >>> match_batch(1, 4, 4, what="styles")
    4
    """
    if 0 in batches:
        raise ValueError(f"{what} hold an empty batch; give 1 or more of each.")
    sizes = sorted({n for n in batches if n != 1})
    if len(sizes) > 1:
        found = " and ".join(str(n) for n in sizes)
        raise ValueError(f"{what} come in batches of {found}; give each 1 or the same number.")
    return sizes[0] if sizes else 1


def entry(batch: Tensor, i: int) -> Tensor:
    """Picture i of a batch [B,...], or the only one: [1,...]."""
    return batch if len(batch) == 1 else batch[i : i + 1]


def repeated(batch: Tensor, count: int) -> Tensor:
    """A batch of one, `count` times without a copy; a batch of that size as it is: [count,...]."""
    return batch.expand(count, *batch.shape[1:])
