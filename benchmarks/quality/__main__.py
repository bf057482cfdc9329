"""How well the systems keep the photo and take on the painting, in numbers and on a contact sheet.

    python -m benchmarks.quality --data DIR --microast PATH --json FILE --sheet FILE
    python -m benchmarks.quality --data DIR --microast PATH --contents 20 --styles 40 --bars

Every system paints the same pairs of the test split; what it returns is rounded to 8 bits and scored
with the losses that the networks are trained with. A low loss alone does not make a good picture: look at the
sheet. Choose between weights and settings with `--split val`, and report the numbers of the test split.
--bars measures all numbers that the default weights must reach (docs/benchmarks.md).
--cache remembers everything that was painted and scored: a killed run goes on where it was, and new weights
cost only their own pictures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from pathlib import Path

import torch

from benchmarks.peers import (
    PEERS,
    LeftOut,
    RememberingBrushwork,
    Setup,
    System,
    UntouchedContent,
    add_device_argument,
    add_setup_arguments,
    build_available,
)
from benchmarks.progress import progress
from benchmarks.quality.all_bars import SampleSizes, measure_bars
from benchmarks.quality.art_features import available_extractors
from benchmarks.quality.bar import bars_table
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.pairs import Pair, balanced, cross_pairs, evenly, read_split, shuffled_pairs
from benchmarks.quality.request import QualityRequest
from benchmarks.quality.scoring import Scorer, Scores
from benchmarks.quality.sheets import save_pictures, save_sheet
from brushwork.base.files import write_atomically
from brushwork.models import CheckpointError

METRICS = {
    "content": "content",
    "gram": "Gram style",
    "gram_half": "Gram, half",
    "gram_quarter": "Gram, quarter",
    "mean_std": "mean/std style",
    "mean_std_half": "mean/std, half",
    "mean_std_quarter": "mean/std, quarter",
    "ssim": "SSIM",
}
CACHE = Path(__file__).resolve().parent.parent / "out" / "quality"


def compare(
    gallery: Gallery, systems: list[System], pairs: list[Pair], shown: set[Pair]
) -> list[dict[str, Scores]]:
    """The scores of every pair by system; pictures of the pairs in `shown` are kept for the sheets."""
    return [
        {
            system.name: gallery.scored(system, pair, pair in shown and is_painter(system)).numbers
            for system in systems
        }
        for pair in progress(pairs, "pairs")
    ]


def is_painter(system: System) -> bool:
    return not isinstance(system, UntouchedContent)


def summarize(scores: list[dict[str, Scores]]) -> dict[str, dict[str, dict[str, float]]]:
    """system -> metric -> median and mean over the pairs; very small pictures have not all metrics."""
    summary = {}
    for system, found in scores[0].items():
        columns = {name: [pair[system][name] for pair in scores] for name in METRICS if name in found}
        summary[system] = {
            metric: {"median": statistics.median(values), "mean": statistics.fmean(values)}
            for metric, values in columns.items()
        }
    return summary


def table(summary: dict[str, dict[str, dict[str, float]]]) -> str:
    """Markdown: median (mean). Lower is better except for SSIM."""
    columns = [METRICS[name] for name in next(iter(summary.values()))]
    lines = [
        "| system | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for system, metrics in summary.items():
        cells = [f"{values['median']:.3f} ({values['mean']:.3f})" for values in metrics.values()]
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def build_systems(request: QualityRequest) -> list[System]:
    """Brushwork once per checkpoint, then the peers that are there."""
    setup = Setup(request.device, request.threads, request.microast, request.wct, request.rlministyler)
    systems: list[System] = []
    stems = [file.stem for file in request.checkpoint]
    for file in request.checkpoint:
        found = RememberingBrushwork(dataclasses.replace(setup, checkpoint=file, strength=request.strength))
        if len(stems) > 1:
            found.name = file.stem if stems.count(file.stem) == 1 else str(file)
        systems.append(found)
    return systems + list(build_available((*PEERS, "content"), setup).values())


def choose_pairs(request: QualityRequest) -> list[Pair]:
    contents, styles = read_split(request.data, request.split)
    if request.contents is None and request.styles is None:
        return shuffled_pairs(contents, styles, request.pairs, request.seed)
    if request.contents is None or request.styles is None:
        raise ValueError("--contents and --styles make a full cross together; give both or neither.")
    return cross_pairs(contents, styles, request.contents, request.styles, request.seed)


def request_from(args: argparse.Namespace) -> QualityRequest:
    """What was asked for, typed."""
    given = vars(args)
    sample = {field.name: given[field.name] for field in dataclasses.fields(SampleSizes)}
    others = {name: value for name, value in given.items() if name not in sample}
    return QualityRequest(**others | {"checkpoint": tuple(args.checkpoint), "sample": SampleSizes(**sample)})


def parse(arguments: list[str] | None) -> QualityRequest:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.quality",
        description="Content, style and SSIM of Brushwork, its peers and the photo.",
    )
    _add_comparison(parser)
    _add_results(parser)
    _add_bars(parser)
    add_setup_arguments(parser)
    options = parser.parse_args(arguments)
    counts = ["threads", "sheet_pairs", "sheet_rows", "sheet_cell", "pictures_pairs", "paintings"]
    counts += [field.name for field in dataclasses.fields(SampleSizes)]
    for name, least in (("size", 32), *((name, 1) for name in counts)):
        if getattr(options, name) is not None and getattr(options, name) < least:
            given = f"--{name.replace('_', '-')} is {getattr(options, name)}"
            parser.error(f"{given}; give {least} or more.")
    if options.bars and options.strength != 1:
        parser.error(f"--strength is {options.strength:g}; --bars starts from full strength, leave it out.")
    return request_from(options)


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    """Which pictures are painted, by which networks."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder of content/, style/, split.json"
    )
    parser.add_argument(
        "--split", default="test", choices=("val", "test"), help="val to choose weights by (default test)"
    )
    parser.add_argument("--pairs", type=int, default=50, metavar="COUNT", help="how many pairs (default 50)")
    parser.add_argument("--contents", type=int, metavar="COUNT", help="instead: cross this many photos …")
    parser.add_argument("--styles", type=int, metavar="COUNT", help="… with this many paintings")
    parser.add_argument("--seed", type=int, default=0, help="draws the pairs (default 0)")
    parser.add_argument("--size", type=int, default=512, metavar="PIXELS", help="shorter side (default 512)")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        nargs="+",
        default=[Setup.checkpoint],
        metavar="FILE",
        help="networks of Brushwork, a column for each (default: the shipped one)",
    )
    parser.add_argument("--strength", type=float, default=1.0, help="of Brushwork, 0 to 1 (default 1)")
    add_device_argument(parser)


def _add_results(parser: argparse.ArgumentParser) -> None:
    """What is written."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write settings and every score there")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="contact sheet, .png or .jpg")
    parser.add_argument(
        "--sheet-pairs", type=int, default=12, metavar="COUNT", help="rows of the sheet (default 12)"
    )
    parser.add_argument(
        "--sheet-rows", type=int, default=24, metavar="COUNT", help="rows on one page (default 24)"
    )
    parser.add_argument(
        "--sheet-cell",
        type=int,
        default=320,
        metavar="PIXELS",
        help="longer side of its pictures (default 320)",
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="keep pictures for `brushwork judge` there"
    )
    parser.add_argument(
        "--pictures-pairs", type=int, default=60, metavar="COUNT", help="of how many pairs (default 60)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE,
        metavar="DIR",
        help="folder of remembered results (default benchmarks/out/quality)",
    )


def _add_bars(parser: argparse.ArgumentParser) -> None:
    """Which bars are measured, and on how much."""
    parser.add_argument("--bars", action="store_true", help="measure every bar; see docs/benchmarks.md")
    parser.add_argument(
        "--paintings", type=int, metavar="COUNT", help="real ones that KID compares with (default all)"
    )
    for field in dataclasses.fields(SampleSizes):
        name = f"--{field.name.replace('_', '-')}"
        text = f"with --bars: {field.metadata['text']} (default {field.default})"
        parser.add_argument(name, type=int, default=field.default, metavar="COUNT", help=text)


def main(arguments: list[str] | None = None) -> int:
    request = parse(arguments)
    torch.set_num_threads(request.threads)
    # TensorFloat-32 would move the scores in the third digit.
    torch.backends.cudnn.allow_tf32 = False

    # Paint and score; what cannot go well ends here with one sentence.
    try:
        pairs = choose_pairs(request)
        systems = build_systems(request)
        extractors = available_extractors(request.device) if request.bars else []
        gallery = Gallery(request.cache, request.size, Scorer(request.device, extractors), request.device)
        on_sheet = balanced(pairs, request.sheet_pairs) if request.sheet else []
        in_folders = balanced(pairs, request.pictures_pairs) if request.pictures else []
        scores = compare(gallery, systems, pairs, {*on_sheet, *in_folders})
    except (CheckpointError, LeftOut, ValueError) as error:
        print(f"benchmarks.quality: {error}", file=sys.stderr)
        return 2

    # Show: the table, sheets and folders of pictures, the bars, and all of it as JSON.
    summary = summarize(scores)
    print(f"{len(pairs)} {request.split} pairs at {request.size} pixels, median (mean)\n\n{table(summary)}")
    painters = [system for system in systems if is_painter(system)]
    if request.sheet and on_sheet:
        save_sheet(gallery, painters, on_sheet, request.sheet, request.sheet_rows, request.sheet_cell)
    if request.pictures and in_folders:
        folders = save_pictures(gallery, painters, in_folders, request.pictures)
        print(f"\n{len(in_folders)} pictures each in {', '.join(map(str, folders))}")
    bars = print_bars(request, gallery, painters, pairs) if request.bars else {}
    if request.json:
        each = [
            {"content": pair.content.name, "style": pair.style.name, "scores": found}
            for pair, found in zip(pairs, scores, strict=True)
        ]
        record = {"settings": request.settings(), "summary": summary, "bars": bars, "pairs": each}
        write_atomically(request.json, json.dumps(record, indent=1, default=str).encode())
    return 0


def print_bars(
    request: QualityRequest, gallery: Gallery, painters: list[System], pairs: list[Pair]
) -> dict[str, list[dict[str, object]]]:
    """Measure and print the bars of each of Brushwork's networks; returns them by its name, for JSON."""
    _, paintings = read_split(request.data, request.split)
    paintings = evenly(paintings, request.paintings or len(paintings))
    peers = [system for system in painters if not isinstance(system, RememberingBrushwork)]
    measured = {}
    for system in painters:
        if isinstance(system, RememberingBrushwork):
            bars = measure_bars(gallery, system, peers, pairs, paintings, request.sample)
            print(
                f"\n{system.name}, {len(paintings)} paintings to compare with\n\n{bars_table(bars)}",
                flush=True,
            )
            measured[system.name] = [dataclasses.asdict(bar) for bar in bars]
    return measured


if __name__ == "__main__":
    sys.exit(main())
