"""What to do when the GPU's memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from ...models.memory import is_out_of_memory
from ..bridge import api

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TOO_LARGE = (
    "The picture does not fit into the GPU's memory even with all models unloaded; "
    "scale it down or start ComfyUI with --cpu."
)


def with_second_chance(
    work: Callable[[], T],
    before_again: Callable[[], object] | None = None,
    instead: Callable[[], T] | None = None,
) -> T:
    """`work()`; if the device's memory runs out, once more with all of it free.

    `before_again` is called in between, for instance to load the network again. If the memory runs out again,
    it is `instead()`, which takes less; without it, RuntimeError is raised, one sentence.
    """
    try:
        return work()
    except torch.cuda.OutOfMemoryError:
        logger.warning("Brushwork: out of memory; unloading all models and trying again.")
    api.unload_all()
    if before_again:
        before_again()
    try:
        return work()
    except torch.cuda.OutOfMemoryError as error:
        if instead is None:
            raise RuntimeError(_TOO_LARGE) from error
        logger.warning("Brushwork: out of memory with all models unloaded; painting in smaller parts.")
    try:
        return instead()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise RuntimeError(_TOO_LARGE) from error
