"""What to do when memory runs out, on a GPU or on the CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from ...models.memory import is_out_of_memory
from ..bridge import api

logger = logging.getLogger(__name__)

T = TypeVar("T")


def with_second_chance(
    work: Callable[[], T],
    before_again: Callable[[], object] | None = None,
    instead: Callable[[], T] | None = None,
) -> T:
    """`work()`; if memory runs out, once more with all models unloaded.

    `before_again` is called in between, for instance to load the network again. If the memory runs out again,
    it is `instead()`, which takes less; without it, RuntimeError is raised, one sentence.
    """
    try:
        return work()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        logger.warning("Brushwork: out of memory; unloading all models and trying again.")
    # With the memory of all other models.
    api.unload_all()
    if before_again:
        before_again()
    try:
        return work()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if instead is None:
            raise _too_large(error) from error
        logger.warning("Brushwork: out of memory with all models unloaded; painting in smaller parts.")
    # In parts, if the caller can.
    try:
        return instead()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise _too_large(error) from error


def _too_large(error: BaseException) -> RuntimeError:
    remedy = "start ComfyUI with --cpu" if on_gpu(error) else "close other programs"
    return RuntimeError(
        f"The picture does not fit into {memory_of(error)} even with all models unloaded; scale it down "
        f"or {remedy}."
    )


def memory_of(error: BaseException) -> str:
    """Which memory an error that says that memory ran out is about."""
    return "the GPU's memory" if on_gpu(error) else "the computer's memory"


def on_gpu(error: BaseException) -> bool:
    """Whether it was the GPU's memory: its own error, or any while ComfyUI runs on one."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    of_the_system = isinstance(error, MemoryError | OSError) or "CPUAllocator" in str(error)
    return api.device().type != "cpu" and not of_the_system
