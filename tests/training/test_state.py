"""The training state file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from training_states import read_state

from brushwork.models import CheckpointError
from brushwork.training.state import pack, unpack, write_state


def make() -> dict:
    net = nn.Linear(3, 2)
    return {"net": net, "opt": torch.optim.Adam(net.parameters(), 0.1)}


def step(parts: dict, x: torch.Tensor) -> None:
    parts["opt"].zero_grad()
    parts["net"](x).square().sum().backward()
    parts["opt"].step()


def test_optimiser_and_network_go_on_exactly(tmp_path: Path) -> None:
    x = torch.arange(6.0).view(2, 3)
    parts, other = make(), make()
    step(parts, x)
    write_state(tmp_path / "s", pack(parts), {"step": 1})
    tensors, header = read_state(tmp_path / "s")
    assert header == {"step": 1}
    unpack(other, tensors)
    step(parts, x)
    step(other, x)
    assert torch.equal(parts["net"].weight, other["net"].weight)
    assert torch.equal(parts["net"].bias, other["net"].bias)


def test_what_is_no_state_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    with pytest.raises(CheckpointError, match="nothing to resume"):
        read_state(path)
    write_state(path, pack(make()), {})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match="not a readable training state"):
        read_state(path)
    path.write_bytes(whole.replace(b"brushwork-training-state", b"brushwork-training-stale"))
    with pytest.raises(CheckpointError, match="not a training state of Brushwork"):
        read_state(path)
