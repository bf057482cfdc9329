"""Checkpoint files: safetensors with everything about the network in the header. Never a pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from ..base.excerpt import excerpt
from ..base.files import checked_path, write_atomically
from ..base.system_errors import system_sentence
from .tensor_file import (
    UNREADABLE,
    TensorFacts,
    TensorFile,
    decode_texts,
    open_tensors,
    type_problem,
    value_problem,
    why_unreadable,
)

FORMAT = "brushwork-style-gan"
FORMAT_VERSION = 2


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one sentence for the user."""


class CheckpointFile:
    """An open checkpoint: what its header says, and its tensors once that has been checked."""

    def __init__(self, name: str, file: TensorFile, header: dict[str, Any]):
        self.name, self.header, self._file = name, header, file

    @property
    def facts(self) -> Mapping[str, TensorFacts]:
        """Type and shape of every tensor; nothing is read for them."""
        return self._file.facts

    def tensors(self) -> dict[str, Tensor]:
        """All tensors, in the file's own type.

        Raises CheckpointError, one sentence, for values that are not finite as float32, or larger than those
        of any trained network.
        """
        tensors = self._file.tensors()
        if problem := value_problem(tensors):
            raise CheckpointError(f"{self.name} is damaged: {problem}.")
        return tensors


def write_checkpoint(
    path: str | os.PathLike[str],
    tensors: dict[str, Tensor],
    header: dict[str, Any],
    dtype: torch.dtype = torch.float16,
) -> None:
    """Save `tensors` as `dtype` with `header` (JSON values) and the format's name and version.

    Raises CheckpointError for what a reader would refuse: a tensor that is not finite, also after rounding to
    `dtype`, or has values larger than those of any trained network; ValueError for what is no path, and
    OSError for one that cannot be written.
    """
    path = checked_path(path)
    packed = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in tensors.items()}
    if problem := value_problem(packed):
        raise CheckpointError(f"Not saved to {path}: {problem}.")
    write_atomically(path, save(packed, encode_metadata(FORMAT, FORMAT_VERSION, header)))


def path_to_read(path: object, kind: str) -> Path:
    """`path` as that of a file that exists. Raises CheckpointError, one sentence, if there is none.

    `kind` is what the file should be, as in 'checkpoint'.
    """
    try:
        checked = checked_path(path)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    try:
        found = checked.is_file()
    except OSError as error:  # such as a name that is too long, or a closed folder
        raise CheckpointError(system_sentence(error)) from error
    if not found:
        raise CheckpointError(f"There is no {kind} at {excerpt(str(checked), 300)}; check the path.")
    return checked


@contextmanager
def open_checkpoint(path: str | os.PathLike[str]) -> Iterator[CheckpointFile]:
    """Look into a file that `write_checkpoint` made: kind, version, header, names, types and shapes.

    Within this context, its tensors can be read. Raises CheckpointError, one sentence, for a file that is
    missing, truncated, pickled, foreign, of another format version, or whose tensors cannot be weights.
    """
    path = path_to_read(path, "checkpoint")
    try:
        with open_tensors(path) as file:
            yield CheckpointFile(path.name, file, _checked_header(path.name, file))
    except CheckpointError:
        raise
    except UNREADABLE as error:
        raise CheckpointError(
            why_unreadable(path, "a safetensors file", "choose a checkpoint that Brushwork saved")
        ) from error


def _checked_header(name: str, file: TensorFile) -> dict[str, Any]:
    # What does the file say that it is?
    if file.texts.get("format") != FORMAT:
        raise CheckpointError(
            f"{name} is a safetensors file of another kind, not a Brushwork style GAN; "
            "choose a file that Brushwork saved."
        )
    version = file.texts.get("format_version")
    if version == "1":
        raise CheckpointError(
            f"{name} was made for the earlier network of Brushwork 0.2 and does not fit this one; "
            "use the shipped network, or train again."
        )
    if version != str(FORMAT_VERSION):
        raise CheckpointError(
            f"{name} has format version {excerpt(str(version), 20)}, and this Brushwork "
            f"reads version {FORMAT_VERSION}; update Brushwork or use a checkpoint made for it."
        )
    # Can its tensors be weights? Nothing has been read of them so far.
    if problem := type_problem(file.facts):
        raise CheckpointError(f"{name} is damaged: {problem}.")
    return decode_metadata(name, file.texts)


def encode_metadata(format_name: str, version: int, entries: dict[str, Any]) -> dict[str, str]:
    """The texts of a file of the format `format_name`: `entries` (JSON values) and what it is."""
    texts = {key: json.dumps(value) for key, value in entries.items()}
    return texts | {"format": format_name, "format_version": str(version)}


def decode_metadata(name: str, metadata: dict[str, str]) -> dict[str, Any]:
    """The inverse of `encode_metadata`, without the format.

    Raises CheckpointError, one sentence; `name` is the file's name in it.
    """
    try:
        return decode_texts({key: text for key, text in metadata.items() if key != "format"})
    except ValueError as error:
        raise CheckpointError(f"{name} is damaged: its header cannot be read.") from error
