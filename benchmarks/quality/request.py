"""What is asked of `python -m benchmarks.quality`, typed: all that travels further than the parser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.all_bars import SampleSizes


@dataclass(frozen=True)
class QualityRequest:
    """The arguments of one comparison; None is what was not given."""

    data: Path
    split: str
    pairs: int
    contents: int | None
    """With `styles`: so many photos are crossed with so many paintings, in place of `pairs`."""
    styles: int | None
    seed: int
    size: int
    """The shorter side in pixels."""
    checkpoint: tuple[Path, ...]
    strength: float
    device: str
    json: Path | None
    sheet: Path | None
    sheet_pairs: int
    sheet_rows: int
    sheet_cell: int
    pictures: Path | None
    pictures_pairs: int
    cache: Path
    bars: bool
    paintings: int | None
    sample: SampleSizes
    threads: int
    microast: Path | None
    wct: Path | None
    rlministyler: Path | None

    def settings(self) -> dict[str, object]:
        """All of it by name, as the report keeps it."""
        return {name: value for name, value in vars(self).items() if name != "sample"} | vars(self.sample)
