"""Checkpoint files: safetensors with everything about the network in the header. Never a pickle."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ..base.files import write_atomically
from ..base.tensor_header import read_metadata

FORMAT = "brushwork-style-gan"
FORMAT_VERSION = 2

# Errors that come from reading a file that is not a whole safetensors file.
UNREADABLE = (SafetensorError, OSError, ValueError)


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one sentence for the user."""


@dataclass
class Checkpoint:
    """Tensors in the file's own type and the header's entries, decoded from JSON."""

    tensors: dict[str, Tensor]
    header: dict[str, Any]


def write_checkpoint(
    path: str | os.PathLike[str],
    tensors: dict[str, Tensor],
    header: dict[str, Any],
    dtype: torch.dtype = torch.float16,
) -> None:
    """Save `tensors` as `dtype` with `header` (JSON values) and the format's name and version.

    Raises CheckpointError if a tensor is not finite, also after rounding to `dtype`.
    """
    packed = {}
    for name, tensor in tensors.items():
        packed[name] = tensor.detach().to("cpu", dtype).contiguous()
        if not torch.isfinite(packed[name]).all():
            raise CheckpointError(f"Not saved to {path}: '{name}' has values that are not finite.")
    write_atomically(path, save(packed, encode_metadata(FORMAT, FORMAT_VERSION, header)))


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a file that `write_checkpoint` made, on the CPU.

    Raises CheckpointError, one sentence, for a file that is missing, truncated, pickled, foreign, of
    another format version, or not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}.")
    try:
        tensors, metadata = read_tensors(path)
    except UNREADABLE as error:
        raise CheckpointError(_why_unreadable(path)) from error
    # What does the file say that it is?
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path.name} is a safetensors file of another kind, not a Brushwork style GAN; "
            "choose a file that Brushwork saved."
        )
    if metadata.get("format_version") == "1":
        raise CheckpointError(
            f"{path.name} was made for the earlier network of Brushwork 0.2 and does not fit this one; "
            "use the shipped network, or train again."
        )
    if metadata.get("format_version") != str(FORMAT_VERSION):
        raise CheckpointError(
            f"{path.name} has format version {metadata.get('format_version')}, and this Brushwork "
            f"reads version {FORMAT_VERSION}; update Brushwork or use a checkpoint made for it."
        )
    # Are its values usable?
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path.name} is damaged: '{name}' has values that are not finite.")
    return Checkpoint(tensors, decode_metadata(path.name, metadata))


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of any safetensors file, on the CPU, and its texts. Raises one of `UNREADABLE`."""
    return load_file(path), read_metadata(path)


def encode_metadata(format_name: str, version: int, entries: dict[str, Any]) -> dict[str, str]:
    """The texts of a file of the format `format_name`: `entries` (JSON values) and what it is."""
    texts = {key: json.dumps(value) for key, value in entries.items()}
    return texts | {"format": format_name, "format_version": str(version)}


def decode_metadata(name: str, metadata: dict[str, str]) -> dict[str, Any]:
    """The inverse of `encode_metadata`, without the format.

    Raises CheckpointError, one sentence; `name` is the file's name in it.
    """
    try:
        return {key: json.loads(value) for key, value in metadata.items() if key != "format"}
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{name} is damaged: its header cannot be read.") from error


def _why_unreadable(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    size = path.stat().st_size
    length = int.from_bytes(head[:8], "little") if len(head) >= 8 else 0
    has_header = head[8:9] == b"{" and 8 + length <= 100_000_000
    # A pickle begins with 0x80 and its protocol, but so may the length of a safetensors header.
    pickled = head[:2] == b"PK" or (head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"))
    if pickled and not has_header:
        return (
            f"{path.name} is a pickled PyTorch file, which can run foreign code when it is read; "
            "Brushwork reads safetensors only."
        )
    if has_header or len(head) <= 8:
        return f"{path.name} is cut short at {size} bytes; download or copy it again."
    return f"{path.name} is not a safetensors file; choose a checkpoint that Brushwork saved."
