"""What every system has, and what all are built with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from brushwork.base.shipped import DEFAULT_CHECKPOINT

# Fields of `Setup` and options of the commands, each with the project that its path is a checkout of.
CHECKOUTS = {
    "microast": "EndyWon/MicroAST",
    "wct": "MingSun-Tse/Collaborative-Distillation",
    "rlministyler": "fengxiaoming520/RLMiniStyler",
}


class LeftOut(Exception):
    """A system that cannot take part; the message is one sentence that says why."""


class System(Protocol):
    """Something that paints.

    `name` heads its column; `note` says at which resolution it really works; `identity` changes with
    everything that can change its pictures: weights, code, settings, the kind of device.
    """

    @property
    def name(self) -> str: ...

    @property
    def note(self) -> str: ...

    @property
    def identity(self) -> str: ...

    def paint(self, content: Tensor, style: Tensor) -> Tensor:
        """content [1,3,H,W], style [1,3,h,w], both in 0..1 -> [1,3,H,W]."""
        ...


@dataclass(frozen=True)
class Setup:
    """What the systems are built with; the fields named in `CHECKOUTS` are the roots of checkouts."""

    device: str = "cpu"
    threads: int = 2
    microast: Path | None = None
    wct: Path | None = None
    rlministyler: Path | None = None
    checkpoint: Path = DEFAULT_CHECKPOINT
    strength: float = 1.0
