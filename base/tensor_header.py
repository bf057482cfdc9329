"""The header of safetensors files, without torch: 8 bytes of length, then JSON with the texts of a file."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

SAFETENSORS = ".safetensors"
"""The ending of networks, styles and training states."""

LARGEST_HEADER = 16 * 2**20
"""Bytes of a header at most. That of a network trained on 100,000 pictures has 8 MB."""


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The texts that a safetensors file carries beside its tensors, by their keys.

    Raises ValueError if the file does not begin with a header, OSError if it cannot be read.
    """
    with open(path, "rb") as file:
        length = _length(file.read(8))
        return _texts(_decode(file.read(length)))


def split_header(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of the safetensors file `data`, decoded, and the bytes of the tensors behind it.

    Raises ValueError if the data does not begin with a header.
    """
    start = 8 + _length(data[:8])
    return _decode(data[8:start]), data[start:]


def join_header(header: dict[str, Any], tensors: bytes) -> bytes:
    """A safetensors file of what `split_header` returned, its header sorted and without spaces."""
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + tensors


def _length(head: bytes) -> int:
    length = int.from_bytes(head, "little")
    if len(head) < 8 or length > LARGEST_HEADER:
        raise ValueError("The file has no safetensors header, or one that is too long.")
    return length


def _decode(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode())
    except RecursionError as error:
        raise ValueError("The safetensors header is nested too deeply.") from error
    except ValueError as error:
        raise ValueError("The safetensors header is no JSON in UTF-8.") from error
    if not isinstance(header, dict):
        raise ValueError("The safetensors header is not an object.")
    return header


def _texts(header: dict[str, Any]) -> dict[str, str]:
    metadata = header.get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("The safetensors header holds something else than texts.")
    return metadata
