"""How much painted videos flicker, frame by frame and by `SteadyVideo`.

    python -m benchmarks.flicker --sheet flicker.png

The four clips are made from pictures that ship with Brushwork, so that every motion is known.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.flicker import clips
from benchmarks.flicker.clips import Clip
from brushwork.base.shipped import DEFAULT_CHECKPOINT, SHIPPED_INPUTS
from brushwork.models import CheckpointError, StyleGAN
from brushwork.models.video.steady import SteadyVideo
from brushwork.pictures.comparison_sheet import Column, ComparisonSheet
from brushwork.pictures.tensors import as_picture, load_picture

CITY, LAKE = (
    SHIPPED_INPUTS / "photo-city-singapore.jpg",
    SHIPPED_INPUTS / "photo-landscape-lake-sherburne.jpg",
)
ASTRONAUT = SHIPPED_INPUTS / "photo-portrait-astronaut.jpg"
STYLES = ("art-vangogh-starry-night.jpg", "art-engraving-dore.jpg")

SHEET_CELL = 320

# The others are compared with the first. Of the others: statistics and follow.
PER_FRAME = "Generate, frame by frame"
SETTINGS: dict[str, tuple[str, float]] = {
    "statistics clip, follow 0": ("clip", 0.0),
    "statistics frame, follow 0.9": ("frame", 0.9),
    "statistics window 25, follow 0.9": ("window", 0.9),
    "statistics clip, follow 0.9 (default)": ("clip", 0.9),
    "statistics clip, follow 1": ("clip", 1.0),
}

PaintFrames = Callable[[StyleGAN, Tensor, Tensor], Tensor]
"""network, frames [T,3,H,W], style code [1,L,D] -> painted frames [T,3,H,W]."""


@dataclass(frozen=True)
class FlickerRequest:
    """What was asked for."""

    size: int
    """The shorter side of the clips in pixels."""
    frames: int
    checkpoint: Path
    sheet: Path | None


def frame_by_frame(gan: StyleGAN, frames: Tensor, code: Tensor) -> Tensor:
    return torch.cat([gan.generate(gan.encode_content(frame), code) for frame in frames.split(1)])


def steadily(statistics: str, follow: float) -> PaintFrames:
    def paint(gan: StyleGAN, frames: Tensor, code: Tensor) -> Tensor:
        video = SteadyVideo(gan, len(frames), statistics=statistics, follow=follow)
        for i in video.frames_to_read:
            video.read(frames[i : i + 1], code)
        return torch.cat([video.paint(i, frame, code) for i, frame in enumerate(frames.split(1))])

    return paint


def sharpness(painted: Tensor) -> float:
    """Mean difference of neighbouring pixels in the last frame."""
    last = painted[-1]
    return (last.diff(dim=1).abs().mean() + last.diff(dim=2).abs().mean()).item()


def make_clips(size: int, count: int) -> list[Clip]:
    return [
        clips.still(CITY, size, count),
        clips.corner(LAKE, ASTRONAUT, size, count),
        clips.pan(CITY, size, count),
        clips.exposure(LAKE, size, count),
    ]


def table(found: dict[str, dict[str, tuple[float, float]]], untouched: dict[str, float]) -> str:
    """Markdown; per painter and clip: mean flicker and mean sharpness."""
    lines = [
        f"| | {' | '.join(untouched)} | sharpness in the pan |",
        "| --- |" + " ---: |" * (len(untouched) + 1),
    ]
    lines.append("| the clip itself | " + " | ".join(f"{value:.2f}" for value in untouched.values()) + " | |")
    before = found[PER_FRAME]
    for painter, row in found.items():
        cells = []
        for clip in untouched:
            change = "" if painter == PER_FRAME else f" ({row[clip][0] / before[clip][0] - 1:+.0%})"
            cells.append(f"{row[clip][0]:.2f}{change}")
        sharp = row["pan and zoom"][1] / before["pan and zoom"][1]
        lines.append(f"| {painter} | {' | '.join(cells)} | {sharp:.2f} |")
    return "\n".join(lines)


def add_rows(sheet: ComparisonSheet, clip: Clip, painted: Tensor, name: str) -> None:
    """First, middle and last frame, and ten times the last difference between two."""
    shown = [as_picture(painted[t : t + 1]) for t in (0, len(painted) // 2, len(painted) - 1)]
    difference = (painted[-1:] - painted[-2:-1]).abs() * 10
    captions = [f"{clip.name}: {name}", "", "", ""]
    sheet.add_row([*shown, as_picture(difference)], captions=captions)


def parse(arguments: list[str] | None) -> FlickerRequest:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.flicker", description="Flicker of painted videos, frame by frame and steadied."
    )
    parser.add_argument(
        "--size", type=int, default=256, metavar="PIXELS", help="shorter side of the clips (default 256)"
    )
    parser.add_argument(
        "--frames", type=int, default=16, metavar="COUNT", help="frames per clip (default 16)"
    )
    parser.add_argument(
        "--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="default: the shipped one"
    )
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write frames and differences there")
    request = FlickerRequest(**vars(parser.parse_args(arguments)))
    if request.size < 64:
        parser.error(f"--size is {request.size}; give 64 or more.")
    if request.frames < 3:
        parser.error(f"--frames is {request.frames}; give 3 or more.")
    return request


@torch.inference_mode()
def main(arguments: list[str] | None = None) -> int:
    request = parse(arguments)
    try:
        gan = StyleGAN.load(request.checkpoint)
    except CheckpointError as error:
        print(f"benchmarks.flicker: {error}", file=sys.stderr)
        return 2

    # Flicker and sharpness of every painter on every clip, means over the styles; the first style is shown.
    codes = [gan.encode_style(load_picture(SHIPPED_INPUTS / name, 512)) for name in STYLES]
    painters = {PER_FRAME: frame_by_frame} | {name: steadily(*how) for name, how in SETTINGS.items()}
    found: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in painters}
    untouched = {}
    titles = ("first frame", "middle frame", "last frame", "10 x last difference")
    sheet = ComparisonSheet([Column(title, SHEET_CELL) for title in titles])
    for clip in make_clips(request.size, request.frames):
        untouched[clip.name] = clip.flicker(clip.frames)
        add_rows(sheet, clip, clip.frames, "the clip")
        for name, paint in painters.items():
            results = []
            for code in codes:
                painted = paint(gan, clip.frames, code)
                results.append((clip.flicker(painted), sharpness(painted)))
                if code is codes[0]:
                    add_rows(sheet, clip, painted, name)
            flicker, sharp = (statistics.fmean(values) for values in zip(*results, strict=True))
            found[name][clip.name] = flicker, sharp
            print(f"{clip.name}, {name}: {flicker:.2f}", file=sys.stderr, flush=True)
    print(table(found, untouched))
    if request.sheet:
        sheet.draw().save(request.sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
