"""An allocator that keeps its memory: no page faults for a tensor of a size that was there before."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FAULTS = """
import resource
from brushwork.base.allocator import keep_memory
import torch

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(40 * 2**20 // 4).fill_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

# The first ones find their place.
without = min(faults() for _ in range(12))
print(without, keep_memory(), min(faults() for _ in range(12)))
"""
KEPT = "from brushwork.base.allocator import keep_memory; print(keep_memory())"


def run(code, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=clean | environment)
    return done.stdout.split()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_a_tensor_of_a_known_size_costs_no_page_faults():
    without, kept, faults = run(FAULTS)
    if kept == "False":
        pytest.skip("the C library is not glibc")
    assert int(faults) < 20
    assert int(without) > 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_free_pages_go_back():
    """Blocks of 1 MB, every second of them freed, would stay with the process."""
    code = """
from brushwork.base.allocator import give_back_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

blocks = [bytearray(b"x" * 100_000) for _ in range(2000)]
del blocks[::2]
before = resident()
give_back_memory()
print(before - resident())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if not os.confstr("CS_GNU_LIBC_VERSION"):
        pytest.skip("the C library is not glibc")
    assert int(done.stdout) > 50e6


@pytest.mark.parametrize("name", ["GLIBC_TUNABLES", "MALLOC_ARENA_MAX"])
def test_the_users_own_settings_stay(name):
    assert run(KEPT, **{name: ""}) == ["False"]
