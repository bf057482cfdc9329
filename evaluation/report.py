"""What an evaluation found: scores, the settings they belong to, and warnings, as table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from PIL import Image

from ..base.counts import counted
from .options import EvaluationOptions

TITLES = {
    "fid": "FID to the paintings ↓",
    "kid": "KID to the paintings ↓",
    "content": "content loss ↓",
    "gram": "Gram style loss ↓",
    "gram_half": "Gram style loss, half size ↓",
    "gram_quarter": "Gram style loss, quarter size ↓",
    "mean_std": "mean/std style loss ↓",
    "mean_std_half": "mean/std style loss, half size ↓",
    "mean_std_quarter": "mean/std style loss, quarter size ↓",
    "ssim": "SSIM with the photo ↑",
    "lpips": "LPIPS to the photo ↓",
    "diversity": "diversity of random styles",
}
COLUMNS = ("measure", "painted", "untouched photos", "details")
LEGEND = (
    "↓ lower is better, ↑ higher is better. Losses, SSIM and LPIPS are medians over the pairs. Diversity: "
    "how much one photo's pictures in random styles differ, divided by how much the paintings differ; at 1 "
    "both differ equally."
)


def package_versions() -> dict[str, str]:
    """The versions of the packages that the numbers depend on."""
    return {name: version(name) for name in ("torch", "torchvision", "torchmetrics")}


@dataclass(frozen=True)
class Score:
    """One line of the report.

    `value` belongs to the painted pictures and is None where it could not be measured; `why_none`
    says why, in a sentence. `untouched` is the same for the photos as they are. `parts` are further
    numbers by name; `details` is what the table says of them.
    """

    value: float | None = None
    untouched: float | None = None
    parts: dict[str, float] = field(default_factory=dict)
    details: str = ""
    why_none: str = ""

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"value": self.value}
        if self.untouched is not None:
            found["untouched"] = self.untouched
        return found | self.parts | ({"why_none": self.why_none} if self.why_none else {})


@dataclass(frozen=True)
class Evaluation:
    """The scores by the names in `TITLES`, and everything that is needed to measure them again.

    `features` says which extractor FID and KID used; `photos` and `paintings` are how many different
    ones the pairs were made of; `sheet` shows some of the pairs.
    """

    scores: dict[str, Score]
    options: EvaluationOptions
    pairs: int
    photos: int
    paintings: int
    features: str
    device: str
    warnings: tuple[str, ...]
    sheet: Image.Image
    versions: dict[str, str] = field(default_factory=package_versions)

    def as_dict(self) -> dict[str, Any]:
        """All except the sheet, as JSON values."""
        return {
            "scores": {name: score.as_dict() for name, score in self.scores.items()},
            "pairs": self.pairs,
            "photos": self.photos,
            "paintings": self.paintings,
            "features": self.features,
            "options": self.options.as_dict(),
            "device": self.device,
            "versions": self.versions,
            "warnings": list(self.warnings),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """The table's cells below `COLUMNS`."""
        return [
            (
                TITLES[name],
                "not available" if score.value is None else number(score.value),
                "" if score.untouched is None else number(score.untouched),
                score.details,
            )
            for name, score in self.scores.items()
        ]

    def remarks(self) -> list[str]:
        """What a reader of the table needs, a line each: legend, settings, and what is missing."""
        o = self.options
        return [
            LEGEND,
            f"{counted(self.pairs, 'pair')} of {counted(self.photos, 'photo')} and "
            f"{counted(self.paintings, 'painting')}, {o.side} pixels, seed {o.seed}, on {self.device}",
            *self._about_diversity(),
            f"features of FID and KID: {self.features}",
            "versions: " + ", ".join(f"{name} {version}" for name, version in self.versions.items()),
            *(f"{name}: {score.why_none}" for name, score in self.scores.items() if score.why_none),
        ]

    def _about_diversity(self) -> list[str]:
        if self.scores["diversity"].value is None:
            return []
        styles = counted(self.options.random_styles, "random style")
        return [f"diversity: {styles}, psi {self.options.psi:g}"]

    def text(self) -> str:
        """Table, remarks and warnings as plain text."""
        lines = [*_aligned([COLUMNS, *self.rows()]), "", *self.remarks()]
        return "\n".join([*lines, *(f"Warning: {warning}" for warning in self.warnings)])


def number(value: float) -> str:
    """Four digits after the point; two for 10 and more; three digits in all for a million and more."""
    if abs(value) >= 1e6:
        return f"{value:.3g}"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The cells padded to columns, except the last one, which may be long."""
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS) - 1)]
    return [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
