"""The full state of a training run in one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ..base.excerpt import value_excerpt
from ..base.files import write_atomically
from ..base.system_errors import NoFileError, check_file_or_free, system_sentence
from ..models.checkpoint import CheckpointError
from ..models.tensor_file import UNREADABLE, TensorFile, decode_json, open_tensors, type_problem

STATE_FORMAT = "brushwork-training-state"
MOST_STEPS = 10_000_000

# Painter, average, discriminator and two averages of Adam of the largest network that is read.
MOST_NUMBERS = 2**31

# What Adam keeps of every parameter, beside the number of its steps.
ADAM_AVERAGES = ("exp_avg", "exp_avg_sq")


def pack(parts: dict[str, nn.Module | torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Tensors of modules and optimisers under flat names: `gan.…`, `opt_g.<parameter>.exp_avg`, …"""
    tensors: dict[str, Tensor] = {}
    for prefix, part in parts.items():
        if isinstance(part, nn.Module):
            tensors |= {f"{prefix}.{name}": value for name, value in part.state_dict().items()}
        else:
            for index, slots in part.state_dict()["state"].items():
                tensors |= {f"{prefix}.{index}.{slot}": value for slot, value in slots.items()}
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}


def unpack(parts: dict[str, nn.Module | torch.optim.Optimizer], tensors: dict[str, Tensor]) -> None:
    """Put what `pack` made back into modules and optimisers of the same make."""
    for prefix, part in parts.items():
        own = {k[len(prefix) + 1 :]: v for k, v in tensors.items() if k.startswith(prefix + ".")}
        if isinstance(part, nn.Module):
            part.load_state_dict(own)
            continue
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in own.items():
            index, slot = key.split(".")
            slots.setdefault(int(index), {})[slot] = value
        part.load_state_dict({"state": slots, "param_groups": part.state_dict()["param_groups"]})


def shapes(parts: Mapping[str, nn.Module | torch.optim.Optimizer]) -> dict[str, tuple[int, ...]]:
    """The shapes of all tensors that `pack` may make of parts of this make, by their names."""
    found: dict[str, tuple[int, ...]] = {}
    for prefix, part in parts.items():
        if isinstance(part, nn.Module):
            found |= {f"{prefix}.{name}": tuple(value.shape) for name, value in part.state_dict().items()}
            continue
        parameters = [parameter for group in part.param_groups for parameter in group["params"]]
        for index, parameter in enumerate(parameters):
            found[f"{prefix}.{index}.step"] = ()
            for average in ADAM_AVERAGES:
                found[f"{prefix}.{index}.{average}"] = tuple(parameter.shape)
    return found


def write_state(path: str | os.PathLike[str], tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write `tensors` and `header` (JSON values) atomically."""
    metadata = {"format": STATE_FORMAT, "header": json.dumps(header)}
    write_atomically(path, save(tensors, metadata))


@contextmanager
def open_state(path: str | os.PathLike[str]) -> Iterator[tuple[TensorFile, dict[str, Any]]]:
    """Look into a file that `write_state` made: its header, and its tensors on demand.

    Raises CheckpointError, one sentence, for anything else, also if reading fails within this context.
    """
    path = Path(path)
    try:
        check_file_or_free(path)
    except NoFileError as error:
        raise CheckpointError(system_sentence(error)) from error
    if not path.is_file():
        raise CheckpointError(f"There is nothing to resume: {path} does not exist.")
    try:
        with open_tensors(path) as file:
            if file.texts.get("format") != STATE_FORMAT:
                raise CheckpointError(f"{path} is not a training state of Brushwork; start the run anew.")
            if problem := type_problem(file.facts, MOST_NUMBERS):
                raise CheckpointError(f"{path} is damaged: {problem}; start the run anew.")
            yield file, _decode(path, file.texts)
    except CheckpointError:
        raise
    except UNREADABLE as error:
        raise CheckpointError(f"{path} is not a readable training state; start the run anew.") from error


def _decode(path: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    try:
        header = decode_json(texts.get("header", ""))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: its header cannot be read; start the run anew.") from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{path} is damaged: its header is no object; start the run anew.")
    return header


def progress_problem(header: Mapping[str, Any]) -> str | None:
    """What is wrong with how far a run has come, as the end of a sentence; None if nothing is."""
    for key, low, high in (("step", 0, MOST_STEPS), ("micro_batch", 1, 512), ("bad_in_row", 0, MOST_STEPS)):
        value = header.get(key)
        if type(value) is not int or not low <= value <= high:
            return f"its {key} is {value_excerpt(value)} and not a whole number from {low} to {high}"
    rate = header.get("rate_factor")
    if not is_number(rate) or not 0 < rate <= 1:
        return f"its rate_factor is {value_excerpt(rate)} and not a number from 0 to 1"
    if not isinstance(header.get("ancestor", 0), dict | None):
        return "its ancestor is no object"
    if not isinstance(header.get("options"), dict):
        return "its options are no object"
    if not isinstance(header.get("progress"), dict):
        return "its progress is no object"
    return None


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value from JSON is a number that is a float or fits into one, NaN and infinity among them."""
    return type(value) is float or (type(value) is int and abs(value) <= sys.float_info.max)
