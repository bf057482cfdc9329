"""The C library's allocator: whether it gives memory back to the system after every large tensor."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


def keep_memory() -> bool:
    """Let glibc keep freed memory for the next tensor, in this process; whether it does so now.

    Without this, every feature map of more than 32 MB comes from the system and goes back to it, and the
    system clears all of it, page by page. Only for a process of a command: what was once taken stays taken.
    Settings in the environment (GLIBC_TUNABLES, MALLOC_…_) stay as they are.
    """
    chosen = any(name == "GLIBC_TUNABLES" or name.startswith("MALLOC_") for name in os.environ)
    if chosen or not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        # Another C library, such as musl.
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _NEVER))


def give_back_memory() -> None:
    """Let glibc give all free pages back to the system, also those between others that are in use."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
