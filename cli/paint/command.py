"""`brushwork paint`: photos in the style of paintings, as files."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.choices import PRESERVE_COLOR, STATISTICS, STROKES
from ...base.pairs import PAIRS
from ...painting.engines.environment import quiet_ray
from ...painting.options import QUALITIES, RefineOptions
from ..errors import CommandError
from ..extras import require
from ..pixel_limit import add_pixel_limit
from .request import DEFAULT_CPUS, DEFAULT_FORMAT, DEFAULT_OUT, ENGINES, FORMATS, PaintRequest

if TYPE_CHECKING:
    from ...painting.folders import PaintJob
    from .display import PaintDisplay
    from .engines import Engine

# The options of refining that have a flag of their own name; the others are arguments of all painting.
REFINING = [
    each
    for each in fields(RefineOptions)
    if each.name not in ("quality", "stroke_size", "preserve_color", "tile")
]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "paint",
        usage="brushwork paint PHOTO… --style STYLE… [--refine [QUALITY]] [--out DIR|FILE] [OPTION …]",
        description="Paint photos and films in the style of paintings, style files or library styles. Every "
        "photo is painted in every style. Ctrl-C stops; the same command goes on from there, because files "
        "that exist are skipped, and films are painted on.",
    )
    add = parser.add_argument
    add("photos", nargs="*", metavar="PHOTO", help="a photo or a film, a folder of them, or a pattern")
    add(
        "--style",
        dest="styles",
        nargs="+",
        action="extend",
        default=[],
        metavar="STYLE",
        help="a painting, a .safetensors style file, a folder or a pattern of them, or a library style such "
        "as hokusai-great-wave",
    )
    add(
        "--refine",
        nargs="?",
        const=RefineOptions.quality,
        choices=tuple(QUALITIES),
        help="optimise each picture until it has the paintings' strokes; takes minutes (default: %(const)s)",
    )
    _add_results(parser)
    _add_device(parser)
    _add_look(parser)
    _add_which_styles(parser)
    _add_steady(parser)
    _add_engines(parser)
    _add_refining(parser)
    add_pixel_limit(parser)
    parser.set_defaults(func=run)


def _add_results(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        metavar="DIR|FILE",
        help="a folder, or for one picture a .png, .jpg, .webp or .tif, for one film a .mp4, .mov or .mkv "
        f"(default: {DEFAULT_OUT})",
    )
    add("--format", choices=FORMATS, help=f"of the pictures in the folder (default: {DEFAULT_FORMAT})")
    add("--overwrite", action="store_true", help="paint again what is there already")


def _add_device(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--device",
        default=PaintRequest.device,
        help="cpu, cuda, cuda:1, mps, … (default: auto, the fastest that works)",
    )
    add(
        "--tile",
        type=int,
        default=PaintRequest.tile,
        metavar="N",
        help="the side in pixels of the tiles in which a large picture is painted; smaller ones take less "
        "memory, the result is the same (with --refine a multiple of 8; default: 0, as the memory allows)",
    )
    add("--checkpoint", type=Path, metavar="FILE", help="the network (default: the shipped one)")


def _add_look(parser: argparse.ArgumentParser) -> None:
    look = parser.add_argument_group("how it is painted")
    look.add_argument(
        "--strength",
        type=float,
        default=PaintRequest.strength,
        metavar="X",
        help="0 is the photo (default: %(default)g)",
    )
    look.add_argument(
        "--preserve-color",
        choices=PRESERVE_COLOR,
        default=PaintRequest.preserve_color,
        help="keep the photo's colours (default: %(default)s)",
    )
    look.add_argument(
        "--stroke-size",
        type=float,
        default=PaintRequest.stroke_size,
        metavar="X",
        help="2 gives strokes twice as large, 0.5 half as large (0.25 to 4, default: %(default)g)",
    )
    look.add_argument(
        "--strokes",
        choices=STROKES,
        default=PaintRequest.strokes,
        help="proportion: strokes are larger in large pictures (default); pixels: one size in all pictures",
    )
    look.add_argument(
        "--seed",
        type=int,
        default=PaintRequest.seed,
        metavar="S",
        help="another one gives other strokes on the same motif, and other random styles: their seeds are S, "
        "S + 1, and so on (default: %(default)s)",
    )


def _add_which_styles(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("which styles")
    which.add_argument(
        "--pairs",
        choices=PAIRS,
        default=PaintRequest.pairs,
        help="cross: every photo in every style (default); zip: first photo in first style, and so on",
    )
    which.add_argument(
        "--mix",
        nargs="*",
        type=float,
        metavar="WEIGHT",
        help="mix all styles into one, equal or with a weight for each",
    )
    which.add_argument(
        "--random",
        type=int,
        default=PaintRequest.random,
        metavar="N",
        help="N invented styles, alone or beside --style",
    )
    which.add_argument(
        "--psi",
        type=float,
        default=PaintRequest.psi,
        metavar="X",
        help="how far random styles are from typical ones, 0 to 2 (default: %(default)s)",
    )


def _add_steady(parser: argparse.ArgumentParser) -> None:
    steady = parser.add_argument_group("how films are held steady")
    steady.add_argument(
        "--statistics",
        choices=STATISTICS,
        default=PaintRequest.statistics,
        help="which frames brightness and contrast are balanced over: clip, all of a shot, the steadiest "
        "(default); window, those nearby, for long shots in which the light changes; frame, each by itself, "
        "which flickers",
    )
    steady.add_argument(
        "--window",
        type=int,
        default=PaintRequest.window,
        metavar="N",
        help="how many frames the window of --statistics spans, 1 to 1000 (default: %(default)s)",
    )
    steady.add_argument(
        "--follow",
        type=float,
        default=PaintRequest.follow,
        metavar="X",
        help="how much of the frame before each frame keeps, moved along with the film, from 0 to 1 "
        "(default: %(default)s)",
    )


def _add_engines(parser: argparse.ArgumentParser) -> None:
    engines = parser.add_argument_group("where it is painted")
    engines.add_argument(
        "--engine",
        choices=ENGINES,
        default=PaintRequest.engine,
        help="local: one process on this machine (default); ray: a process for each GPU, or for each few "
        "processors, on this machine or on a Ray cluster whose machines share the files",
    )
    engines.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of the Ray cluster; auto is the one that runs on this machine (default: RAY_ADDRESS, or this "
        "machine alone)",
    )
    engines.add_argument(
        "--cpus",
        type=int,
        metavar="N",
        help=f"the processors of each process of --engine ray that has no GPU (default: {DEFAULT_CPUS})",
    )


def _add_refining(parser: argparse.ArgumentParser) -> None:
    refining = parser.add_argument_group("options of --refine")
    for option in REFINING:
        refining.add_argument(
            "--" + option.name.replace("_", "-"),
            type=type(option.default),
            metavar={int: "N", float: "X"}.get(type(option.default), "KIND"),
            help=f"{option.metadata['text']} Default: {option.default}".replace("%", "%%"),
        )


def request_from(args: argparse.Namespace) -> PaintRequest:
    """What was asked for, typed."""
    given = vars(args)
    names = {each.name for each in fields(PaintRequest)}
    values = {name: value for name, value in given.items() if name in names} | {
        "photos": tuple(args.photos),
        "styles": tuple(args.styles),
        "mix": args.mix is not None,
        "weights": tuple(args.mix) if args.mix else None,
        "refine_changes": {each.name: given[each.name] for each in REFINING if given[each.name] is not None},
    }
    return PaintRequest(**values)


def run(args: argparse.Namespace) -> int:
    """Paint what `args` ask for; 0 if all is there, 1 if some is not.

    Raises CommandError, one sentence, when it cannot start or go on.
    """
    return paint(request_from(args))


def paint(request: PaintRequest) -> int:
    """Paint all pictures and print each file that was written; see `run`."""
    try:
        # PyTorch takes seconds to import, and what is missing should be told at once.
        request.check()
    except ValueError as error:
        raise CommandError(str(error)) from error
    if request.engine == "ray":
        quiet_ray()
        require(("ray.data",), "ray", "--engine ray needs")
    from ...painting.errors import EngineError
    from ...painting.folders import WriteError
    from .engines import open_engine
    from .jobs import find_jobs

    try:
        options, steady = request.options(), request.steady()
        jobs = find_jobs(request)
        return _paint_all(jobs, open_engine(request, jobs, options, steady))
    except (ValueError, WriteError, EngineError) as error:
        raise CommandError(str(error)) from error


def _paint_all(jobs: list[PaintJob], engine: Engine) -> int:
    from ...painting.folders import PaintResult
    from .display import open_display

    counts = dict.fromkeys(PaintResult, 0)
    with open_display(len(jobs)) as display:
        # A bad photo fails in every style: once is enough.
        told: set[str] = set()
        try:
            # After Ctrl-C, what was painted is written before anything is said.
            with closing(engine.outcomes(display)) as outcomes:
                for outcome in outcomes:
                    counts[outcome.result] += 1
                    painted = outcome.result is PaintResult.PAINTED
                    display.finish(painted, outcome.seconds if painted and engine.in_turn else None)
                    if painted:
                        display.say(f"{outcome.job.target} ({outcome.seconds:.1f} s)")
                    elif outcome.result is not PaintResult.SKIPPED and outcome.sentence not in told:
                        told.add(outcome.sentence)
                        display.complain(f"brushwork paint: {outcome.sentence}")
        except KeyboardInterrupt:
            display.complain(
                f"{display.done} of {len(jobs)} pictures are done; the same command goes on from there."
            )
            raise
        _summarize(
            display, counts[PaintResult.SKIPPED], counts[PaintResult.OCCUPIED], counts[PaintResult.FAILED]
        )
    return 1 if counts[PaintResult.OCCUPIED] or counts[PaintResult.FAILED] else 0


def _summarize(display: PaintDisplay, skipped: int, occupied: int, failed: int) -> None:
    """What was not painted, in a line."""
    parts = [
        f"{count} {what}"
        for count, what in (
            (skipped, "skipped, already there"),
            (occupied, "left, something else is there (--overwrite replaces it)"),
            (failed, "failed"),
        )
        if count
    ]
    if parts:
        display.complain(f"Of {display.pictures} pictures: {display.painted} painted, {', '.join(parts)}.")
