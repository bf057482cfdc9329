"""The full state of a training run in one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ..base.files import write_atomically
from ..models.checkpoint import UNREADABLE, CheckpointError, read_tensors

STATE_FORMAT = "brushwork-training-state"


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


def write_state(path: str | os.PathLike[str], tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write `tensors` and `header` (JSON values) atomically."""
    metadata = {"format": STATE_FORMAT, "header": json.dumps(header)}
    write_atomically(path, save(tensors, metadata))


def read_state(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The inverse of `write_state`. Raises CheckpointError, one sentence, for anything else."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is nothing to resume: {path} does not exist.")
    try:
        tensors, metadata = read_tensors(path)
    except UNREADABLE as error:
        raise CheckpointError(f"{path} is not a readable training state; start the run anew.") from error
    if metadata.get("format") != STATE_FORMAT:
        raise CheckpointError(f"{path} is not a training state of Brushwork; start the run anew.")
    return tensors, json.loads(metadata["header"])
