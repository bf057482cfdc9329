"""Free memory, and errors that say that there is none."""

from __future__ import annotations

import errno

import pytest
import torch

from brushwork.models import memory
from brushwork.models.memory import free_memory, is_out_of_memory, out_of_memory_as, release_cache


def test_free_memory_is_less_than_a_machine_has():
    assert 0 < free_memory(torch.device("cpu")) < 2**50


def test_files_in_the_memory_of_a_container_leave_room(tmp_path, monkeypatch):
    # As a container of 8 MB says it that uses 3 MB, and has read files of 4 MB.
    for name, text in {
        "memory.max": f"{8 * 2**20}\n",
        "memory.current": f"{7 * 2**20}\n",
        "memory.stat": f"anon {3 * 2**20}\nfile {4 * 2**20}\ninactive_file {4 * 2**20}\nactive_file 0\n",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert free_memory(torch.device("cpu")) == 5 * 2**20
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(torch.device("cpu")) > 5 * 2**20


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("could not create a primitive"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.98 GB, max allowed: 18.13 GB)."),
        RuntimeError("Invalid buffer size: 24.00 GB"),
        RuntimeError("HIP out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("XPU out of memory, please use `empty_cache` to release all unoccupied cached memory."),
        RuntimeError("Native API failed. Native API returns: 40 (UR_RESULT_ERROR_OUT_OF_RESOURCES)"),
        RuntimeError("Could not allocate tensor. There is not enough GPU video memory available!"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_errors_that_mean_that_memory_ran_out(error):
    assert is_out_of_memory(error)


def test_other_errors_do_not():
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError())
    # A file may be called anything.
    assert not is_out_of_memory(ValueError("out of memory.png is not a picture"))
    assert not is_out_of_memory(FileNotFoundError(errno.ENOENT, "No such file", "bad_alloc.png"))
    assert not is_out_of_memory(RuntimeError("could not create a primitive descriptor for a convolution"))


def test_the_sentence_replaces_only_errors_of_memory():
    with pytest.raises(KeyError, match="scale it down"), out_of_memory_as(KeyError, "scale it down"):
        raise MemoryError
    with pytest.raises(RuntimeError, match="shapes"), out_of_memory_as(KeyError, "scale it down"):
        raise RuntimeError("shapes cannot be multiplied")


def test_no_cache_is_released_where_there_is_none():
    for kind in ("cpu", "mps", "xpu", "meta"):
        release_cache(torch.device(kind))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_unused_part_of_the_cache_is_free():
    device = torch.device("cuda")
    torch.empty(2**28, dtype=torch.uint8, device=device)
    assert free_memory(device) > torch.cuda.mem_get_info()[0]
