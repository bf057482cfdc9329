"""The header of safetensors files against the library that writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save, save_file

from brushwork.base.tensor_header import join_header, read_metadata, split_header

TENSORS = {"b": torch.arange(6.0).view(2, 3), "a": torch.ones(1, dtype=torch.uint8)}


def test_texts_are_those_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    save_file(TENSORS, path, {"format": "any", "name": "Doré ★"})
    assert read_metadata(path) == {"format": "any", "name": "Doré ★"}
    save_file(TENSORS, path)
    assert read_metadata(path) == {}


def test_a_sorted_file_is_the_same_file() -> None:
    data = save(TENSORS, {str(i): "text" for i in range(40)})
    ordered = join_header(*split_header(data))
    assert list(split_header(ordered)[0]) == ["__metadata__", "a", "b"]
    assert list(split_header(ordered)[0]["__metadata__"]) == sorted(str(i) for i in range(40))
    assert all(torch.equal(tensor, TENSORS[name]) for name, tensor in load(ordered).items())
    assert join_header(*split_header(ordered)) == ordered


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02\0\0\0",
        b"\x02\0\0\0\0\0\0\0",
        b"\x02\0\0\0\0\0\0\0[]",
        b"\xff" * 40,
        b"\x14\0\0\0\0\0\0\0" + b'{"__metadata__": [1]}'[:20],
        b"\x15\0\0\0\0\0\0\0" + b'{"__metadata__": [1]}',
        b"\xa0\x86\x01\0\0\0\0\0" + b"[" * 100_000,
    ],
)
def test_what_has_no_header_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ValueError, match=r"header|Expecting|Unterminated|delimiter"):
        read_metadata(tmp_path / "file")


def test_it_needs_no_torch() -> None:
    code = "import sys, brushwork.base.tensor_header; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
