"""What to do when the GPU's memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from ..bridge import api

logger = logging.getLogger(__name__)

T = TypeVar("T")


def with_second_chance(work: Callable[[], T], before_again: Callable[[], object] | None = None) -> T:
    """`work()`; if the device's memory runs out, once more with all of it free.

    `before_again` is called in between, for instance to load the network again. Raises RuntimeError, one
    sentence, if the memory runs out again.
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
        raise RuntimeError(
            "The picture does not fit into the GPU's memory even with all models unloaded; "
            "scale it down or start ComfyUI with --cpu."
        ) from error
