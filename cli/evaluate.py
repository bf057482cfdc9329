"""`brushwork evaluate`: how well a network paints, in numbers and on a sheet."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.counts import counted
from ..base.text_files import one_line
from ..dataset.splits import SPLITS
from ..evaluation.options import EvaluationOptions
from ..models.perception.extractors import FEATURES
from .errors import CommandError, of_option
from .extras import require
from .parser import as_options, file_path, number_of
from .pictures import say_left_out
from .pixel_limit import add_pixel_limit
from .results import check_file, check_no_source, has_sheet_ending, written_first
from .terminal import complain, progress_bar, say, stop_on_signals, tell

if TYPE_CHECKING:
    from rich.console import Console

    from ..evaluation.report import Evaluation
    from ..models.style_gan import StyleGAN


@dataclass(frozen=True)
class PictureChoice:
    """Photos and paintings, as `add_picture_arguments` has them; None is what was not given."""

    content: Path | None = None
    style: Path | None = None
    split: Path | None = None
    part: str | None = None


@dataclass(frozen=True)
class EvaluateRequest:
    """The arguments of one `brushwork evaluate`; None is what was not given."""

    pictures: PictureChoice
    values: Mapping[str, Any]
    """The options of `EvaluationOptions`, by name."""
    checkpoint: Path | None = None
    device: str = "auto"
    json: Path | None = None
    sheet: Path | None = None
    download: tuple[str, ...] = ()

    def options(self) -> EvaluationOptions:
        """Raises CommandError, one sentence, for a value out of range."""
        try:
            return EvaluationOptions(**self.values)
        except ValueError as error:
            raise CommandError(as_options(str(error), self.values)) from error


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "evaluate",
        description="Paint pairs of a photo and a painting and score them: FID and KID to the real "
        "paintings, content and style losses, SSIM, LPIPS, and the diversity of random styles. Ctrl-C scores "
        "what has been painted so far. Only what --download names is downloaded.",
    )
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="default: the shipped network")
    add_picture_arguments(parser)
    # The options of the evaluation, each with its own text.
    for option in fields(EvaluationOptions):
        kind: dict[str, Any] = {"choices": FEATURES}
        if option.name != "features":
            kind = {"type": number_of(option.default, option.metadata)}
        text = f"{option.metadata['text']} Default: {option.default}"
        parser.add_argument("--" + option.name.replace("_", "-"), default=option.default, help=text, **kind)
    # Where it computes, what it writes, and what it fetches first.
    parser.add_argument(
        "--device", default=EvaluateRequest.device, help="cpu, cuda, cuda:1, … (default: %(default)s)"
    )
    parser.add_argument("--json", type=file_path, metavar="FILE", help="write the report there")
    parser.add_argument("--sheet", type=file_path, metavar="FILE", help="sheet of some pairs, .png or .jpg")
    parser.add_argument(
        "--download",
        action="append",
        default=[],
        metavar="NAME",
        help="first fetch weights that do not ship with Brushwork into PyTorch's cache: inception (95 MB), "
        "lpips (233 MB); alone it does nothing else",
    )
    parser.set_defaults(func=run)


def add_picture_arguments(parser: argparse.ArgumentParser) -> None:
    """--content, --style, and --split and --part that choose among their pictures."""
    parser.add_argument("--content", type=Path, metavar="DIR", help="folder of photos")
    parser.add_argument("--style", type=Path, metavar="DIR", help="folder of paintings")
    parser.add_argument("--split", type=Path, metavar="FILE", help="JSON that says what is train, val, test")
    parser.add_argument(
        "--part", choices=SPLITS, help="only these pictures (default: test with --split, else all)"
    )
    add_pixel_limit(parser)


def chosen_pictures(choice: PictureChoice) -> tuple[list[Path], list[Path]]:
    """Photos and paintings that --content, --style, --split and --part name.

    Raises CommandError where one is missing or nothing is left.
    """
    from ..dataset.folder import PictureFolder
    from ..dataset.splits import SplitFileError

    if choice.content is None or choice.style is None:
        raise CommandError("Give both --content DIR, a folder of photos, and --style DIR, of paintings.")
    if choice.split is not None and not choice.split.is_file():
        raise CommandError(f"--split {choice.split}: there is no such file; name one that is there.")
    part = choice.part or ("test" if choice.split else None)
    chosen = []
    for option, root in (("--content", choice.content), ("--style", choice.style)):
        with of_option(option):
            folder = PictureFolder.scan(root)
        say_left_out(root, folder.left_out)
        if folder.skipped:
            unread = counted(len(folder.skipped), "file that cannot be read", "files that cannot be read")
            complain(f"left out in {root}: {unread} (first: {folder.skipped[0]})")
        with of_option("--split", SplitFileError):
            paths = folder.split(part, choice.split) if part else folder.paths
        if not paths:
            found = counted(len(folder.paths), "picture")
            raise CommandError(f"Of {found} in {root}, none belongs to '{part}'; name another part.")
        chosen.append(paths)
    return chosen[0], chosen[1]


def load_network(checkpoint: Path | None, device: str, option: str = "--checkpoint") -> StyleGAN:
    """The network in `checkpoint`, which `option` names, by default the shipped one, on `device`, by default
    the fastest. Raises CommandError."""
    import torch

    from ..base.shipped import DEFAULT_CHECKPOINT
    from ..models.devices import usable_device
    from ..models.style_gan import StyleGAN

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    with of_option(option if checkpoint else None):
        gan = StyleGAN.load(checkpoint or DEFAULT_CHECKPOINT)
    try:
        usable = usable_device(device, "--device {} cannot be used here; give cpu, cuda or auto.")
    except ValueError as error:
        raise CommandError(str(error)) from error
    return gan.to(usable)


def request_from(args: argparse.Namespace) -> EvaluateRequest:
    """What was asked for, typed."""
    given = vars(args)
    return EvaluateRequest(
        PictureChoice(**{each.name: given[each.name] for each in fields(PictureChoice)}),
        {each.name: given[each.name] for each in fields(EvaluationOptions)},
        args.checkpoint,
        args.device,
        args.json,
        args.sheet,
        tuple(args.download),
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate as `args` say; returns 0 when done, 130 when stopped by the user.

    Raises CommandError, one sentence, when it cannot start or go on.
    """
    return score(request_from(args))


def score(request: EvaluateRequest) -> int:
    """Evaluate a network; see `run`."""
    from ..evaluation.set_distances import MissingPackageError, require_torchmetrics

    try:
        # Fetch what was asked for, which may be all.
        if request.download:
            _download(request.download)
            if request.pictures.content is None and request.pictures.style is None:
                return 0
        # Refuse what could not be written or measured, before it takes minutes.
        if request.sheet is not None and not has_sheet_ending(request.sheet):
            raise CommandError(f"--sheet {request.sheet}: give a name that ends in .png or .jpg.")
        check_no_source("--sheet", request.sheet, [request.pictures.content, request.pictures.style])
        for option, path in (("--json", request.json), ("--sheet", request.sheet)):
            check_file(path, option)
        require_torchmetrics()
        require(("rich",), "train", "evaluation needs")
        from ..models.memory import out_of_memory_as

        side = request.values["side"]
        with out_of_memory_as(CommandError, f"Memory ran out; give a smaller --side than {side}."):
            return _evaluate(request)
    except (ValueError, MissingPackageError) as error:
        raise CommandError(str(error)) from error


def _download(names: Sequence[str]) -> None:
    from ..models.perception.fetched_weights import FETCHED_WEIGHTS

    for name in names:
        if name not in FETCHED_WEIGHTS:
            raise CommandError(f"--download {name}: choose one of {', '.join(FETCHED_WEIGHTS)}.")
    for name in names:
        tell(f"{name}: {FETCHED_WEIGHTS[name].fetch()}")


def _evaluate(request: EvaluateRequest) -> int:
    from rich.console import Console

    options = request.options()
    photos, paintings = chosen_pictures(request.pictures)
    gan = load_network(request.checkpoint, request.device)
    console = Console()
    found, stopped = _evaluate_with_progress(gan, photos, paintings, options)
    with written_first() as files:
        if request.json is not None:
            files.json(request.json, _record(request, found))
        if request.sheet is not None:
            files.sheet(request.sheet, found.sheet)
        _print_report(found, console)
    return 130 if stopped else 0


def _evaluate_with_progress(
    gan: StyleGAN, photos: list[Path], paintings: list[Path], options: EvaluationOptions
) -> tuple[Evaluation, bool]:
    """The evaluation, and whether Ctrl-C or SIGTERM cut it short."""
    from ..evaluation.evaluate import evaluate

    # A signal ends the painting; the pictures so far are scored.
    with stop_on_signals() as stopped, progress_bar("pictures") as show:
        found = evaluate(
            gan, photos, paintings, options, lambda done, total, picture: show(done, total), stopped
        )
    return found, stopped()


def _print_report(found: Evaluation, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..evaluation.report import COLUMNS

    table = Table()
    for name in COLUMNS:
        numeric = name in ("painted", "untouched photos")
        table.add_column(name, justify="right" if numeric else "left", no_wrap=name == "measure")
    for row in found.rows():
        table.add_row(*map(Text, row))
    console.print(table)
    for line in found.remarks():
        say(console, line)
    for warning in found.warnings:
        text = one_line(f"Warning: {warning}")
        console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _record(request: EvaluateRequest, found: Evaluation) -> dict[str, object]:
    """The report, with the facts that the command line adds."""
    given = {"checkpoint": request.checkpoint, **vars(request.pictures)}
    return {name: None if value is None else str(value) for name, value in given.items()} | found.as_dict()
