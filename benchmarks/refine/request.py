"""What is asked of `python -m benchmarks.refine`, typed: all that travels further than the parser."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from brushwork.painting.options import RefineOptions


@dataclass(frozen=True)
class RefineRequest:
    """The arguments of one comparison; None is what was not given."""

    data: Path
    crowsonkb: Path | None
    crowsonkb_share: float
    split: str
    pairs: int
    seed: int
    size: int
    """The sides in pixels."""
    quality: str
    optimize: str
    options: list[str]
    """Other options of refining, each "NAME=VALUE"."""
    iterations: int
    every: int
    device: str
    threads: int
    json: Path | None
    sheet: Path | None
    sheet_cell: int
    cache: Path
    bars: tuple[str, ...] | None
    quality_pairs: int
    memory_sides: tuple[int, ...]
    memory_steps: int
    compare: bool
    """Whether the programs are compared, or bars alone are measured."""

    def refine_options(self) -> RefineOptions:
        """What is refined with. Raises ValueError, one sentence, for an option that is not one."""
        values: dict[str, object] = {}
        for each in self.options:
            name, found, value = each.partition("=")
            if not found:
                raise ValueError(f"--set {each} has no value; give NAME=VALUE.")
            if name in values:
                raise ValueError(f"--set has {name} twice; give it once.")
            try:
                values[name] = json.loads(value)
            except (ValueError, RecursionError):
                values[name] = value
        return RefineOptions.from_dict({"quality": self.quality, "optimize": self.optimize, **values})

    def settings(self) -> dict[str, object]:
        """All of it by name, as the report keeps it."""
        return dict(vars(self))
