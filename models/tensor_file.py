"""Safetensors files that anybody may have written: looked over by their headers before a tensor is read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..base.counts import counted
from ..base.excerpt import excerpt
from ..base.json_objects import distinct_keys
from ..base.system_errors import unreadable
from ..base.tensor_header import LARGEST_HEADER

# Errors that come from reading a file that is not a whole safetensors file.
UNREADABLE = (SafetensorError, OSError, ValueError)

# Types that weights are stored in, as safetensors calls them.
WEIGHT_TYPES = ("F16", "BF16", "F32", "F64")

MOST_NUMBERS = 2**28
"""Numbers in a file at most: 1 GB as float32. The shipped network has 14 million."""

LARGEST_WEIGHT = 1000.0
"""No weight is larger. The largest one of the shipped network is 1.7."""

MOST_PARTS = 500_000
"""Lists and objects in a JSON text at most. The record of 100,000 pictures has a fifth of that."""

_POINTER = b"version https://git-lfs"


class TensorFacts(NamedTuple):
    """What a header says about a tensor."""

    type: str
    """As in 'F16'."""
    shape: tuple[int, ...]


class TensorFile:
    """An open safetensors file: its texts, what its header says of each tensor, and the tensors on demand."""

    def __init__(self, handle: Any):  # noqa: ANN401  # a class of the safetensors package that has no types
        self._handle = handle
        self.texts: dict[str, str] = handle.metadata() or {}
        self.facts: dict[str, TensorFacts] = {}
        for name in handle.keys():  # noqa: SIM118  # it is no dictionary
            described = handle.get_slice(name)
            self.facts[name] = TensorFacts(described.get_dtype(), tuple(described.get_shape()))

    def tensors(self, names: Iterable[str] | None = None) -> dict[str, Tensor]:
        """The tensors of these names, by default all, on the CPU and in the file's own types."""
        # The library's own are views into the file, and Windows replaces no file that is mapped: a run that
        # was resumed could not save its state.
        wanted = self.facts if names is None else names
        return {name: self._handle.get_tensor(name).clone() for name in wanted}


@contextmanager
def open_tensors(path: str | os.PathLike[str]) -> Iterator[TensorFile]:
    """Look into any safetensors file; no tensor is read. Raises one of `UNREADABLE`.

    The library checks that the tensors lie one behind the other and fill the file.
    """
    with open(path, "rb") as file:
        if int.from_bytes(file.read(8), "little") > LARGEST_HEADER:
            raise ValueError("The file has no safetensors header, or one that is too long.")
        with safe_open(_utf8_path(path, file.fileno()), framework="pt") as handle:
            yield TensorFile(handle)


def _utf8_path(path: str | os.PathLike[str], descriptor: int) -> str:
    """A path of the open file that the library takes: it takes no bytes that are not UTF-8.

    Folders from older systems may have such names.
    """
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"/dev/fd/{descriptor}"
    return text


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, on the CPU, and its texts. Raises one of `UNREADABLE`."""
    with open_tensors(path) as file:
        return file.tensors(), file.texts


def decode_texts(texts: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a header, each of them JSON. Raises ValueError as `decode_json` does."""
    return {key: decode_json(text) for key, text in texts.items()}


def decode_json(text: str) -> Any:  # noqa: ANN401  # whatever the text holds
    """The value of a JSON text.

    Raises ValueError, also for objects with a key twice, deep nesting, and millions of parts, which take
    seconds and hundreds of megabytes.
    """
    if text.count("[") + text.count("{") > MOST_PARTS:
        raise ValueError(f"it has more than {MOST_PARTS:,} lists and objects")
    try:
        return json.loads(text, object_pairs_hook=distinct_keys)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def type_problem(facts: Mapping[str, TensorFacts], most: int = MOST_NUMBERS) -> str | None:
    """What keeps tensors from being weights, as the end of a sentence; None if nothing does.

    All together have `most` numbers at most.

    `facts` come from a header, so that nothing is read yet.
    """
    for name, (type_, shape) in facts.items():
        if type_ not in WEIGHT_TYPES:
            return f"'{excerpt(name)}' is {type_}, and weights are {', '.join(WEIGHT_TYPES)}"
        if len(shape) > 4:
            return f"'{excerpt(name)}' has {len(shape)} dimensions, and weights have 4 at most"
    numbers = sum(math.prod(each.shape) for each in facts.values())
    if numbers > most:
        return f"it holds {numbers:,} numbers, and {most:,} are read at most"
    return None


def value_problem(tensors: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> str | None:
    """What is wrong with the values of weights once they are `dtype`, as the end of a sentence, or None."""
    for name, tensor in tensors.items():
        if tensor.numel() == 0:
            continue
        low, high = (end.item() for end in torch.aminmax(tensor.detach().to(dtype).float()))
        if not (-torch.inf < low and high < torch.inf):  # also if one of them is NaN
            return f"'{excerpt(name)}' has values that are not finite"
        if max(-low, high) > LARGEST_WEIGHT:
            return f"'{excerpt(name)}' has values up to {max(-low, high):.3g}, which no trained network has"
    return None


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape for a message; of long ones the beginning."""
    return str(shape) if len(shape) <= 6 else f"({', '.join(map(str, shape[:6]))}, …)"


def why_unreadable(path: Path, kind: str, advice: str, state: str = "cut short") -> str:
    """One sentence on a file that is not a whole safetensors file.

    `kind` is what it should be, as in 'a style file'; `advice` says which file to choose instead; `state` is
    what most of those files are that have a header.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
        size = path.stat().st_size
    except OSError as error:
        return unreadable(path.name, error.strerror)
    length = int.from_bytes(head[:8], "little") if len(head) >= 8 else 0
    has_header = head[8:9] == b"{" and 8 + length <= 100_000_000
    # A pickle begins with 0x80 and its protocol, but so may the length of a safetensors header.
    pickled = head[:2] == b"PK" or (head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"))
    if head.startswith(_POINTER):
        return (
            f"{path.name} is a pointer of Git LFS and not the file itself; get it with 'git lfs pull', or "
            "download the file."
        )
    if pickled and not has_header:
        return (
            f"{path.name} is not {kind}: it is a pickled PyTorch file, which can run foreign code when it is "
            "read; Brushwork reads safetensors only."
        )
    if has_header and length > LARGEST_HEADER:
        return f"{path.name} has a header of {length:,} bytes, and {LARGEST_HEADER:,} are read; {advice}."
    if has_header or len(head) <= 8:
        return f"{path.name} is {state} at {counted(size, 'byte')}; download or copy it again."
    return f"{path.name} is not {kind}; {advice}."
