"""How fast and how far refining gets, beside the programs that paint by optimisation.

    python -m benchmarks.refine --data DIR --crowsonkb PATH --json FILE --sheet FILE
    python -m benchmarks.refine --data DIR --bars

Brushwork refines Generate's picture with quality normal; pastiche and crowsonkb/style-transfer-pytorch start
from the photo, as they do by themselves, each with its own defaults. All have the same weights of VGG-19 and
read the same pixels: squares from the middle of photo and painting. They take turns of a few seconds, and
only their own work counts: not loading networks, not scoring pictures.
Results lie in benchmarks/out/refine, a small file for each pair: a killed run goes on with the pair it was
at.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from benchmarks.peers import LeftOut, add_device_argument
from benchmarks.progress import progress
from benchmarks.quality.bar import Bar, bars_table
from benchmarks.quality.pairs import Pair, read_split, shuffled_pairs
from benchmarks.quality.results_cache import Record, ResultsCache
from benchmarks.quality.scoring import Scorer
from benchmarks.refine.bars import MEMORY_LIMITS, memory_bar, quality_bars, time_bar
from benchmarks.refine.comparison import SECONDS, TO_LOSS, Comparison, refined_and_generated
from benchmarks.refine.memory import peak_memory
from benchmarks.refine.optimizers import Crowsonkb, Optimizer, Pastiche, Refining
from benchmarks.refine.request import RefineRequest
from benchmarks.speed.memory import can_measure
from brushwork.base.files import write_atomically
from brushwork.base.settings import check_choice
from brushwork.painting.options import OPTIMIZED, QUALITIES, RefineOptions
from brushwork.pictures.comparison_sheet import Column, ComparisonSheet
from brushwork.pictures.tensors import as_picture, load_square

CACHE = Path(__file__).resolve().parent.parent / "out" / "refine"
BARS = ("time", "quality", "memory")
COLUMNS = {
    SECONDS: "seconds",
    "gram": "Gram style",
    "gram_half": "Gram, half",
    "gram_quarter": "Gram, quarter",
    "mean_std": "mean/std style",
    "content": "content",
    TO_LOSS: "seconds to pastiche's Gram style",
}


def rows_of(records: Sequence[Record]) -> list[str]:
    """The programs, and their pictures at other times, in the table's order."""
    return list(dict.fromkeys(name.rpartition("/")[0] for name in records[0].numbers if TO_LOSS not in name))


def table(records: Sequence[Record]) -> str:
    """Markdown: medians over the pairs; how many reached pastiche's loss where it is not all."""
    lines = [
        "| program | " + " | ".join(COLUMNS.values()) + " |",
        "| --- |" + " ---: |" * len(COLUMNS),
    ]
    for row in rows_of(records):
        cells = []
        for name in COLUMNS:
            found = [each.numbers[f"{row}/{name}"] for each in records if f"{row}/{name}" in each.numbers]
            digits = 0 if "seconds" in name else 3
            cell = f"{statistics.median(found):.{digits}f}" if found else "-"
            few = found and len(found) < len(records)
            cells.append(f"{cell} ({len(found)} of {len(records)})" if few else cell)
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def save_sheet(records: Sequence[Record], pairs: Sequence[Pair], side: int, file: Path, cell: int) -> None:
    """A row of pictures for each pair: photo, painting, and what every program had."""
    rows = rows_of(records)
    sheet = ComparisonSheet([Column(title, cell) for title in ("photo", "painting", *rows)])
    for pair, record in zip(pairs, records, strict=True):
        pictures = [as_picture(load_square(path, side)) for path in pair]
        pictures += [as_picture(record.tensors[row].float() / 255) for row in rows]
        times = [f"{record.numbers[f'{row}/{SECONDS}']:.0f} s" for row in rows]
        sheet.add_row(pictures, captions=[pair.content.stem, pair.style.stem, *times])
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.draw().save(file, quality=90)


def build_rivals(request: RefineRequest) -> list[Optimizer]:
    """Those that are there; prints a line for each that is not."""
    builders: dict[str, Callable[[], Optimizer]] = {
        "pastiche": lambda: Pastiche(request.device, request.iterations)
    }
    checkout = request.crowsonkb
    if checkout:
        builders["crowsonkb"] = lambda: Crowsonkb(request.device, checkout, request.crowsonkb_share)
    else:
        print("crowsonkb is left out: give --crowsonkb PATH of a checkout of style-transfer-pytorch.")
    rivals = []
    for name, build in builders.items():
        try:
            rivals.append(build())
        except LeftOut as reason:
            print(f"{name} is left out: {reason}.")
    return rivals


def measure_bars(
    request: RefineRequest, cache: ResultsCache, scorer: Scorer, refining: Refining
) -> list[Bar]:
    """The bars on quality and memory, those of them that were asked for."""
    bars: list[Bar] = []
    asked = request.bars or ()
    if "quality" in asked:
        contents, styles = read_split(request.data, "val")
        pairs = shuffled_pairs(contents, styles, request.quality_pairs, request.seed)
        records = [
            refined_and_generated(cache, request.size, scorer, refining, pair)
            for pair in progress(pairs, "val pairs")
        ]
        bars += quality_bars(records)
    if "memory" in asked:
        if can_measure():
            optimize = request.refine_options().optimize
            bars += [
                memory_bar(side, peak_memory(side, request.memory_steps, request.threads, optimize))
                for side in request.memory_sides
            ]
        else:
            print("Peak memory is left out: this system does not tell a process its own.")
    return bars


def request_from(args: argparse.Namespace) -> RefineRequest:
    """What was asked for, typed."""
    changes = {
        "bars": None if args.bars is None else tuple(args.bars or BARS),
        "memory_sides": tuple(args.memory_sides),
        # The comparison is what the time bar is read from, and what is measured when no bar is named.
        "compare": not args.bars or "time" in args.bars,
    }
    return RefineRequest(**vars(args) | changes)


def parse(arguments: list[str] | None) -> RefineRequest:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.refine",
        description="Refining beside pastiche and crowsonkb/style-transfer-pytorch: losses and seconds.",
    )
    _add_comparison(parser)
    _add_results(parser)
    _add_bars(parser)
    options = parser.parse_args(arguments)
    for name in ("pairs", "iterations", "every", "threads", "quality_pairs", "memory_steps", "sheet_cell"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} is {getattr(options, name)}; give 1 or more.")
    if not 0 < options.crowsonkb_share <= 1:
        parser.error(f"--crowsonkb-share is {options.crowsonkb_share:g}; give more than 0 and at most 1.")
    if options.size < 32:
        parser.error(f"--size is {options.size}; give 32 or more.")
    try:
        check_choice("--quality", options.quality, tuple(QUALITIES))
        check_choice("--optimize", options.optimize, OPTIMIZED)
        for bar in options.bars or ():
            check_choice("--bars", bar, BARS)
    except ValueError as error:
        parser.error(str(error))
    return request_from(options)


def _add_comparison(parser: argparse.ArgumentParser) -> None:
    """Which pictures are refined, by whom and how."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder of content/, style/, split.json"
    )
    parser.add_argument("--crowsonkb", type=Path, metavar="PATH", help="checkout of style-transfer-pytorch")
    parser.add_argument(
        "--crowsonkb-share",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="of its iterations, which take hours on a CPU (default 1)",
    )
    parser.add_argument("--split", default="test", choices=("val", "test"), help="pairs of (default test)")
    parser.add_argument("--pairs", type=int, default=4, metavar="COUNT", help="how many pairs (default 4)")
    parser.add_argument("--seed", type=int, default=0, help="draws the pairs (default 0)")
    parser.add_argument("--size", type=int, default=512, metavar="PIXELS", help="sides (default 512)")
    parser.add_argument("--quality", default="normal", help=f"of refining: {', '.join(QUALITIES)} (normal)")
    parser.add_argument(
        "--optimize",
        default=RefineOptions.optimize,
        help=f"of refining: {', '.join(OPTIMIZED)} (%(default)s)",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        dest="options",
        metavar="NAME=VALUE",
        help="other options of refining, such as content_weight=0.1",
    )
    parser.add_argument(
        "--iterations", type=int, default=500, metavar="COUNT", help="of pastiche (default 500)"
    )
    parser.add_argument(
        "--every", type=int, default=5, metavar="COUNT", help="score one picture of this many (default 5)"
    )
    add_device_argument(parser)
    parser.add_argument("--threads", type=int, default=2, metavar="COUNT", help="CPU threads (default 2)")


def _add_results(parser: argparse.ArgumentParser) -> None:
    """What is written."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write settings and every number there")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="sheet of all pairs, .png or .jpg")
    parser.add_argument(
        "--sheet-cell", type=int, default=320, metavar="PIXELS", help="side of its pictures (default 320)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE,
        metavar="DIR",
        help="folder of remembered results (default benchmarks/out/refine)",
    )


def _add_bars(parser: argparse.ArgumentParser) -> None:
    """Which bars are measured, and on how much."""
    parser.add_argument(
        "--bars", nargs="*", metavar="BAR", help=f"measure these of {', '.join(BARS)}; without names all"
    )
    parser.add_argument(
        "--quality-pairs", type=int, default=20, metavar="COUNT", help="val pairs of that bar (default 20)"
    )
    parser.add_argument(
        "--memory-sides",
        type=int,
        nargs="+",
        default=list(MEMORY_LIMITS),
        choices=list(MEMORY_LIMITS),
        metavar="PIXELS",
        help=f"sides of that bar (default {' '.join(map(str, MEMORY_LIMITS))})",
    )
    parser.add_argument(
        "--memory-steps", type=int, default=1, metavar="COUNT", help="steps of that bar (default 1)"
    )


def main(arguments: list[str] | None = None) -> int:
    request = parse(arguments)
    torch.set_num_threads(request.threads)
    # TensorFloat-32 would move the scores in the third digit.
    torch.backends.cudnn.allow_tf32 = False
    cache, bars = ResultsCache(request.cache), []
    pairs: list[Pair] = []
    records: list[Record] = []
    try:
        scorer = Scorer(request.device)
        refining = Refining(request.device, request.refine_options())
        if request.compare:
            pairs = shuffled_pairs(*read_split(request.data, request.split), request.pairs, request.seed)
            rivals = build_rivals(request)
            comparison = Comparison(
                cache, request.size, scorer, refining, rivals, request.threads, request.every
            )
            records = [comparison.measured(pair) for pair in progress(pairs, "pairs")]
            print(
                f"{len(pairs)} {request.split} pairs of {request.size} x {request.size} pixels, "
                f"{request.threads} threads, {request.device}; medians\n\n{table(records)}"
            )
            if "time" in (request.bars or ()):
                pastiche = next((each.name for each in rivals if isinstance(each, Pastiche)), None)
                bars.append(time_bar(records, pastiche))
        if request.bars:
            bars += measure_bars(request, cache, scorer, refining)
    except ValueError as error:
        print(f"benchmarks.refine: {error}", file=sys.stderr)
        return 2

    if bars:
        print(f"\n{bars_table(bars)}")
    if request.sheet and records:
        save_sheet(records, pairs, request.size, request.sheet, request.sheet_cell)
    if request.json:
        each = [
            {"content": pair.content.name, "style": pair.style.name, "numbers": record.numbers}
            for pair, record in zip(pairs, records, strict=True)
        ]
        found = {
            "settings": request.settings(),
            "bars": [dataclasses.asdict(bar) for bar in bars],
            "pairs": each,
        }
        write_atomically(request.json, json.dumps(found, indent=1, default=str).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
