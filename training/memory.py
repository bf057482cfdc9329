"""Running out of memory: telling it from other errors."""

from __future__ import annotations

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, on a GPU or in PyTorch's CPU allocator."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    text = str(error).lower()
    return any(
        hint in text for hint in ("out of memory", "not enough memory", "can't allocate memory", "bad_alloc")
    )
