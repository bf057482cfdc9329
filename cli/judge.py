"""`brushwork judge`: a blind comparison of two systems by eye, and the tally of the answers."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.counts import counted
from ..base.excerpt import excerpt
from ..pictures.folders import list_pictures
from .errors import CommandError
from .evaluate import PictureChoice, add_picture_arguments, chosen_pictures, load_network
from .parser import Number
from .pictures import say_left_out
from .results import check_folder, check_no_source, check_writable
from .terminal import complain, tell

if TYPE_CHECKING:
    from ..evaluation.judging.errors import JudgeError
    from ..evaluation.judging.sheets import Row

# Of a path that names a system in the tally.
_LONGEST_NAME = 200


@dataclass(frozen=True)
class SheetRequest:
    """The arguments of one `brushwork judge sheet`; None is what was not given."""

    out: Path
    folders: tuple[Path, ...]
    checkpoints: tuple[Path, ...] | None
    pictures: PictureChoice
    pairs: int = 30
    side: int = 512
    device: str = "auto"
    names: tuple[str, ...] | None = None
    seed: int = 0
    per_page: int = 3


@dataclass(frozen=True)
class TallyRequest:
    """The arguments of one `brushwork judge tally`."""

    key: Path
    answers: Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "judge",
        description="Make sheets on which two systems' results stand side by side in shuffled order, "
        "and count the answers.",
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    # First step: the pages.
    sheet = steps.add_parser(
        "sheet",
        help="make the pages, the answer form and the key",
        description="Make blind pages and an answer form for people to judge by, and a key for the "
        "tally. The results are two folders with the same file names, or are painted here with two "
        "checkpoints.",
    )
    sheet.add_argument(
        "folders", type=Path, nargs="*", metavar="DIR", help="two folders of results: A's, then B's"
    )
    sheet.add_argument(
        "--checkpoints", type=Path, nargs=2, metavar=("A", "B"), help="instead: paint with these two"
    )
    add_picture_arguments(sheet)
    sheet.add_argument(
        "--pairs",
        type=Number(1, whole=True),
        default=SheetRequest.pairs,
        help="with --checkpoints: how many (default: %(default)s)",
    )
    sheet.add_argument(
        "--side",
        type=Number(32, whole=True),
        default=SheetRequest.side,
        help="with --checkpoints: shorter side in pixels (default: %(default)s)",
    )
    sheet.add_argument(
        "--device", default=SheetRequest.device, help="cpu, cuda, cuda:1, … (default: %(default)s)"
    )
    sheet.add_argument("--names", nargs=2, metavar=("A", "B"), help="what the tally calls the two")
    sheet.add_argument(
        "--seed",
        type=int,
        default=SheetRequest.seed,
        help="draws pairs, order and sides (default: %(default)s)",
    )
    sheet.add_argument(
        "--per-page",
        type=Number(1, whole=True),
        default=SheetRequest.per_page,
        help="rows on a page; with 1, a screen shows them largest (default: %(default)s)",
    )
    sheet.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    sheet.set_defaults(func=run_sheet)
    # Second step: the answers.
    tally = steps.add_parser("tally", help="count the answers")
    tally.add_argument("key", type=Path, help="key.json of the sheet")
    tally.add_argument("answers", type=Path, help="the filled form, answers.csv")
    tally.set_defaults(func=run_tally)


def sheet_request_from(args: argparse.Namespace) -> SheetRequest:
    """What was asked for, typed."""
    given = vars(args)
    return SheetRequest(
        args.out,
        tuple(args.folders),
        None if args.checkpoints is None else tuple(args.checkpoints),
        PictureChoice(**{each.name: given[each.name] for each in fields(PictureChoice)}),
        args.pairs,
        args.side,
        args.device,
        None if args.names is None else tuple(args.names),
        args.seed,
        args.per_page,
    )


def tally_request_from(args: argparse.Namespace) -> TallyRequest:
    """What was asked for, typed."""
    return TallyRequest(args.key, args.answers)


def run_sheet(args: argparse.Namespace) -> int:
    """Write the pages, the form and the key; 1 if a row is left out because a picture cannot be read.

    Raises CommandError, one sentence, if it cannot.
    """
    return make_blind_sheets(sheet_request_from(args))


def run_tally(args: argparse.Namespace) -> int:
    """Print the tally; answers that cannot be counted are listed, one sentence each, with exit code 2."""
    return count(tally_request_from(args))


def make_blind_sheets(request: SheetRequest) -> int:
    """Make a comparison; see `run_sheet`."""
    from ..evaluation.judging import sheets
    from ..evaluation.judging.errors import JudgeError

    # Find the results, or paint them.
    too_long: list[str] = []
    try:
        if request.names is not None:
            sheets.check_names(request.names)
        check_folder(request.out, "--out")
        check_writable(request.out, "--out")
        if (request.out / sheets.KEY).exists():
            raise CommandError(f"{request.out} holds a comparison already; name another folder.")
        check_no_source(
            "--out", request.out, [*request.folders, request.pictures.content, request.pictures.style]
        )
        if request.checkpoints is not None:
            rows, too_long = _painted_rows(request, request.checkpoints)
        elif len(request.folders) == 2:
            if request.pictures.split is not None or request.pictures.part is not None:
                raise CommandError("--split and --part choose what --checkpoints paints; leave them out.")
            a, b = request.folders
            for folder in (a, b):
                say_left_out(folder, list_pictures(folder).left_out)
            rows = sheets.match_results(a, b, request.pictures.content, request.pictures.style)
        else:
            raise CommandError("Give two folders of results, or --checkpoints A B.")

        rows, problems = sheets.readable_rows(rows)
        problems = [*too_long, *problems]
        names = request.names or _distinct_names(request.checkpoints or request.folders)
        key = sheets.make_sheets(rows, request.out, (names[0], names[1]), request.seed, request.per_page)
    except JudgeError as error:
        raise _last_problem(error) from error
    except ValueError as error:
        raise CommandError(str(error)) from error

    # Say how to go on.
    kept, handed_out = request.out / sheets.KEY, request.out / sheets.HAND_OUT
    for problem in problems:
        complain(f"brushwork judge: {problem} The sheet goes without it.")
    how_many = counted(len(key.rows), "row")
    tell(f"{how_many}. Hand out {handed_out}: the pages, and {sheets.ANSWERS} to fill in.")
    tell(f"Keep {kept} to yourself, and count with:")
    tell(f"brushwork judge tally {kept} {handed_out / sheets.ANSWERS}")
    return 1 if problems else 0


def count(request: TallyRequest) -> int:
    """Count the answers; see `run_tally`."""
    from ..evaluation.judging import tally
    from ..evaluation.judging.errors import JudgeError
    from ..evaluation.judging.sheets import read_key

    try:
        key = read_key(request.key)
        marks = tally.read_answers(request.answers, key)
    except JudgeError as error:
        raise _last_problem(error) from error
    for line in tally.tally(key, marks).text().splitlines():
        tell(line)
    return 0


def _last_problem(error: JudgeError) -> CommandError:
    """Say all problems except the last one, which the command ends with."""
    for problem in error.problems[:-1]:
        complain(f"brushwork judge: {problem}")
    return CommandError(error.problems[-1])


def _painted_rows(request: SheetRequest, checkpoints: Sequence[Path]) -> tuple[list[Row], list[str]]:
    """Both networks' results of the same pairs, painted into `--out`/results; a sentence on each picture that
    cannot be painted."""
    from ..evaluation.judging.results import paint_pairs, paintable_pairs
    from ..evaluation.judging.sheets import Row
    from ..evaluation.pairs import draw_pairs

    if request.folders:
        raise CommandError("Give two folders of results or --checkpoints A B, not both.")
    for option, value, least in (("pairs", request.pairs, 1), ("side", request.side, 32)):
        if value < least:
            raise CommandError(f"--{option} is {value}; give {least} or more.")
    # Both networks paint the same pairs.
    photos, paintings = chosen_pictures(request.pictures)
    drawn = draw_pairs(len(photos), len(paintings), request.pairs, request.seed)
    pairs, problems = paintable_pairs([(photos[content], paintings[style]) for content, style in drawn])

    # A counter on a terminal.
    total = len(pairs) * len(checkpoints)
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            of_all = f"\r{done} of {counted(total, 'picture')}"
            print(of_all, end="\n" if done == total else "", file=sys.stderr)

    painted = []
    for folder, checkpoint in zip(("a", "b"), checkpoints, strict=True):
        gan = load_network(checkpoint, request.device, "--checkpoints")
        painted.append(paint_pairs(gan, pairs, request.out / "results" / folder, request.side, one_more))
    return [Row(a.stem, a, b, *pair) for a, b, pair in zip(*painted, pairs, strict=True)], problems


def _distinct_names(paths: Sequence[Path]) -> list[str]:
    """The last part of both paths, or all of them if that is the same; never empty, no two alike."""
    # "." and ".." are no names.
    whole = [Path(os.path.abspath(path)) for path in paths]
    names = [(path.stem if path.is_file() else path.name) or str(path) for path in whole]
    if names[0] == names[1]:
        names = [str(path) for path in whole]
    if names[0] == names[1]:
        names = [f"{name} ({side})" for name, side in zip(names, "AB", strict=True)]
    # The end tells long paths apart.
    return [excerpt(name[-_LONGEST_NAME:], 2 * _LONGEST_NAME) for name in names]
