"""The soak: sizes that differ, a table of memory, and an exit code for growth."""

from __future__ import annotations

import mmap
import sys

import pytest

from benchmarks import soak


def test_all_sizes_differ() -> None:
    found = list(soak.sizes(700))
    assert len(set(found)) == 700
    assert min(map(min, found)) == 24
    assert max(map(max, found)) < 60


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_a_few_sizes_end_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["sizes", "--count", "3", "--allowed", "500"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("| sizes | MB |\n| ---: | ---: |\n| 1 | ")
    assert "Growth after the first 1: " in said


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_growth_is_seen() -> None:
    kept: list[mmap.mmap] = []

    def keep(i: int) -> None:
        # Pages of its own: the heap of a process that has run for long may have room.
        kept.append(mmap.mmap(-1, 10_000_000))
        kept[-1].write(b"x" * 10_000_000)

    found = soak.measure(keep, "self", 10, 1)
    assert found[-1][1] - found[0][1] > 50
