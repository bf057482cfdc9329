"""Flags of `brushwork paint`, and the request that they make."""

from __future__ import annotations

import argparse
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from ...base.choices import PRESERVE_COLOR, STATISTICS, STROKES
from ...base.pairs import PAIRS
from ...base.seeds import LARGEST_SEED
from ...painting.films.options import SteadyOptions
from ...painting.options import DTYPES, MATCHED, OPTIMIZED, QUALITIES, RefineOptions, StylizeOptions
from ..parser import Number, Place, number_of, place
from ..pixel_limit import add_pixel_limit
from .request import (
    DEFAULT_CPUS,
    DEFAULT_FORMAT,
    DEFAULT_OUT,
    ENGINES,
    FORMATS,
    LARGEST_PSI,
    MOST_RANDOM,
    PaintRequest,
)

# The options of refining that have a flag of their own name; the others are arguments of all painting.
REFINING = [
    each
    for each in fields(RefineOptions)
    if each.name not in ("quality", "stroke_size", "preserve_color", "tile")
]

_CHOICES = {"dtype": DTYPES, "match": MATCHED, "optimize": OPTIMIZED}

# The range of each number.
_RANGES = {
    each.name: number_of(each.default, each.metadata)
    for options in (StylizeOptions, SteadyOptions)
    for each in fields(options)
    if each.metadata.get("low") is not None
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """All arguments of the command."""
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


def _add_results(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--out",
        type=place,
        default=Place(DEFAULT_OUT, is_folder=False),
        metavar="DIR|FILE",
        help="a folder, or for one picture a .png, .jpg, .webp or .tif, for one film a .mp4, .mov or .mkv; "
        f"with a slash at the end every name is a folder (default: {DEFAULT_OUT})",
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
        type=Number(0, whole=True),
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
        type=_RANGES["strength"],
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
        type=_RANGES["stroke_size"],
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
        type=Number(0, LARGEST_SEED, whole=True),
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
        type=Number(0),
        metavar="WEIGHT",
        help="mix all styles into one, equal or with a weight for each",
    )
    which.add_argument(
        "--random",
        type=Number(1, MOST_RANDOM, whole=True),
        metavar="N",
        help=f"N invented styles, up to {MOST_RANDOM}, alone or beside --style",
    )
    which.add_argument(
        "--psi",
        type=Number(0, LARGEST_PSI),
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
        type=_RANGES["window"],
        default=PaintRequest.window,
        metavar="N",
        help="how many frames the window of --statistics spans, 1 to 1000 (default: %(default)s)",
    )
    steady.add_argument(
        "--follow",
        type=_RANGES["follow"],
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
        type=Number(1, whole=True),
        metavar="N",
        help=f"the processors of each process of --engine ray that has no GPU (default: {DEFAULT_CPUS})",
    )


def _add_refining(parser: argparse.ArgumentParser) -> None:
    refining = parser.add_argument_group("options of --refine")
    for option in REFINING:
        refining.add_argument(
            "--" + option.name.replace("_", "-"),
            **_kind(option),
            help=f"{option.metadata['text']} {_values(option)}".replace("%", "%%"),
        )


def _values(option: Field[Any]) -> str:
    """The range or the choices of an option of refining, and its default."""
    if isinstance(option.default, str):
        return f"One of {', '.join(_CHOICES[option.name])}; default: {option.default}"
    return f"From {option.metadata['low']:,} to {option.metadata['high']:,}; default: {option.default}"


def _kind(option: Field[Any]) -> dict[str, Any]:
    """What argparse has to know of the values of an option of refining."""
    if isinstance(option.default, str):
        return {"choices": _CHOICES[option.name], "metavar": "KIND"}
    metavar = "N" if isinstance(option.default, int) else "X"
    return {"type": number_of(option.default, option.metadata), "metavar": metavar}


def request_from(args: argparse.Namespace) -> PaintRequest:
    """What was asked for, typed."""
    given = vars(args)
    names = {each.name for each in fields(PaintRequest)}
    values = {name: value for name, value in given.items() if name in names} | {
        "photos": tuple(args.photos),
        "styles": tuple(args.styles),
        "out": args.out.path,
        "out_is_folder": args.out.is_folder,
        "mix": args.mix is not None,
        "weights": tuple(args.mix) if args.mix else None,
        "refine_changes": {each.name: given[each.name] for each in REFINING if given[each.name] is not None},
    }
    return PaintRequest(**values)
