"""What is asked of `python -m benchmarks.refine`, typed: all that travels further than the parser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
    content_weight: float
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

    def settings(self) -> dict[str, object]:
        """All of it by name, as the report keeps it."""
        return dict(vars(self))
