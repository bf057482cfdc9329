"""Keeps results on disk, so that a killed run goes on and peers are painted and scored once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from benchmarks.fingerprint import fingerprint
from brushwork.base.files import write_atomically
from brushwork.models.tensor_file import UNREADABLE, read_tensors


@dataclass(frozen=True)
class Record:
    """One result on disk: named numbers, and tensors on the CPU."""

    numbers: dict[str, float] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)


class ResultsCache:
    """A folder with a folder per owner (a system in one version) and a small file per result."""

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, owner: str, kind: str, files: Sequence[Path]) -> Path:
        """The path of the result `kind` of `files`, without an ending. Other bytes make another path."""
        name = "__".join(_plain(file.stem)[:60] for file in files)
        return self.folder / _plain(owner) / _plain(kind) / f"{name}-{fingerprint(*files)}"

    def remember(self, owner: str, kind: str, files: Sequence[Path], compute: Callable[[], Record]) -> Record:
        """The record that is there, or what `compute` returns, written whole. A damaged file is replaced."""
        path = self.path(owner, kind, files)
        file = path.with_name(f"{path.name}.safetensors")
        if file.is_file():
            try:
                return _read(file)
            except (*UNREADABLE, KeyError):
                file.unlink()
        record = compute()
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in record.tensors.items()}
        write_atomically(file, save(tensors, {"numbers": json.dumps(record.numbers)}))
        # The same as what the next call reads from the file.
        return Record(record.numbers, tensors)


def _read(file: Path) -> Record:
    tensors, texts = read_tensors(file)
    return Record(json.loads(texts["numbers"]), tensors)


def _plain(name: str) -> str:
    """`name` in ASCII, without characters that some file systems forbid."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII)
