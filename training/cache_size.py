"""How large the caches of crops and targets may be, which save time."""

from __future__ import annotations

import torch

CPU_BYTES = 4 * 2**30

# A share of the free memory of a GPU at that moment. It is asked for four times, for crops and targets of
# photos and of paintings, so that more than half stays free for the training itself.
GPU_SHARE = 1 / 8


def cache_bytes(device: torch.device) -> float:
    """Bytes that one cache of crops or targets may take on `device`."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] * GPU_SHARE
    return CPU_BYTES
