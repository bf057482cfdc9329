"""Free memory, and errors that say that there is none."""

from __future__ import annotations

import pytest
import torch

from brushwork.models.memory import free_memory, is_out_of_memory


def test_free_memory_is_less_than_a_machine_has():
    assert 0 < free_memory(torch.device("cpu")) < 2**50


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("could not create a primitive"),
    ],
)
def test_errors_that_mean_that_memory_ran_out(error):
    assert is_out_of_memory(error)


def test_other_errors_do_not():
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError())
    assert not is_out_of_memory(RuntimeError("could not create a primitive descriptor for a convolution"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_unused_part_of_the_cache_is_free():
    device = torch.device("cuda")
    torch.empty(2**28, dtype=torch.uint8, device=device)
    assert free_memory(device) > torch.cuda.mem_get_info()[0]
