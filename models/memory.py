"""Memory: how much a device has left, and whether an error means that it ran out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

# The assumption for a system that does not say how much is free.
_UNKNOWN = 4 * 2**30

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory(device: torch.device) -> int:
    """Bytes that can be allocated on `device` now, with the unused part of PyTorch's own GPU cache.

    On a CPU this is what Linux calls available, within the limit of a container; on other systems 4 GiB.
    """
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + cached
    if device.type == "cpu" and _MEMINFO.exists():
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines() if ":" in line)
        available = int(lines["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in lines else _UNKNOWN
        return max(0, min(available, _container_bytes()))
    return _UNKNOWN


def _container_bytes() -> int:
    """Bytes that the container's limit (cgroup v2) leaves; without a limit more than any machine has.

    What files have left in memory counts as used there; the system drops it as soon as room is wanted.
    """
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        facts = dict(line.split(maxsplit=1) for line in (_CGROUP / "memory.stat").read_text().splitlines())
        return limit - max(0, used - int(facts.get("inactive_file", 0)))
    except (OSError, ValueError):
        return 2**62


# How it is said that memory ran out: by CUDA, ROCm and Apple's Metal; PyTorch's CPU allocator; C++; cuDNN and
# cuBLAS; Intel's GPUs; DirectML; and by Metal of a tensor that is larger than it allows.
_OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "bad_alloc",
    "status_alloc_failed",
    "out_of_device_memory",
    "out_of_host_memory",
    "out_of_resources",
    "not enough gpu video memory",
    "invalid buffer size",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, on any device or in the system; only this function decides it."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # The text of other errors may name a file, and a file may be called anything.
    if not isinstance(error, RuntimeError):
        return False
    text = str(error).lower()
    # oneDNN says in this way that a convolution got no memory; with "descriptor" it means something else.
    if text.startswith("could not create a primitive") and "descriptor" not in text:
        return True
    return any(hint in text for hint in _OUT_OF_MEMORY)


@contextmanager
def out_of_memory_as(kind: type[Exception], sentence: str) -> Iterator[None]:
    """Raise `kind` with the `sentence` for the user in place of an error that says that memory ran out."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise kind(sentence) from error


def release_cache(device: torch.device) -> None:
    """Give the memory that PyTorch keeps for later back to the GPU."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps" and torch.backends.mps.is_available():
        torch.mps.empty_cache()
    elif device.type == "xpu" and torch.xpu.is_available():
        torch.xpu.empty_cache()
