"""`brushwork train`: train a network on folders of photos and paintings."""

from __future__ import annotations

import argparse
import signal
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..training.options import LossWeights, TrainOptions
from .errors import CommandError

if TYPE_CHECKING:
    from rich.console import Console

    from ..training.run import Run

# Options that are one value each; the tuples and the weights have forms of their own below.
SCALES = ("content_scale", "style_scale")
PLAIN = [f for f in fields(TrainOptions) if f.name not in ("weights", *SCALES)]


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "train",
        help="train a network on folders of photos and paintings",
        description="Train a network on folders of photos and paintings. Ctrl-C saves and stops; "
        "--resume goes on from there, bit for bit.",
    )
    parser.add_argument("--content", type=Path, required=True, metavar="DIR", help="folder of photos")
    parser.add_argument("--style", type=Path, required=True, metavar="DIR", help="folder of paintings")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--split", type=Path, metavar="FILE", help="JSON that says what is train, val, test")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--resume", action="store_true", help="go on with the run in --out")
    start.add_argument(
        "--init", type=Path, metavar="FILE", help="begin a new run with this checkpoint's network"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, … (default: auto)")
    parser.add_argument("--save-minutes", type=float, default=5.0, help="minutes between saves (default: 5)")
    defaults = TrainOptions()
    for option in PLAIN:
        parser.add_argument(
            "--" + option.name.replace("_", "-"),
            type=type(getattr(defaults, option.name)),
            default=None,
            metavar=option.name.upper(),
            help=f"default: {getattr(defaults, option.name)}",
        )
    for name in SCALES:
        low, high = getattr(defaults, name)
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=int,
            nargs=2,
            default=None,
            metavar=("MIN", "MAX"),
            help=f"shorter side before cropping, drawn between these; default: {low} {high}",
        )
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="weight of a loss; " + ", ".join(f"{k}={v}" for k, v in asdict(LossWeights()).items()),
    )
    parser.set_defaults(func=run)


def options_from(args: argparse.Namespace) -> TrainOptions:
    """The options of a new run, or of the run to resume with the given ones changed."""
    from ..training.run import resume_options

    names = (*(f.name for f in PLAIN), *SCALES)
    changes = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    base = resume_options(args.out, {}) if args.resume else TrainOptions()
    weights = asdict(base.weights)
    for text in args.weight:
        name, _, value = text.partition("=")
        if name not in weights:
            known = ", ".join(weights)
            raise ValueError(f"--weight {text}: there is no loss '{name}'; choose one of {known}.")
        try:
            weights[name] = float(value)
        except ValueError as error:
            raise ValueError(f"--weight {text}: '{value}' is not a number.") from error
    return TrainOptions.from_dict(base.as_dict() | changes | {"weights": weights})


def run(args: argparse.Namespace) -> int:
    """Train as `args` say; returns 0 when done, 130 when stopped by the user.

    Raises CommandError, one sentence, when it cannot start or go on.
    """
    # PyTorch takes seconds to import, and `brushwork --help` should not.
    from ..training.trainer import TrainingError

    try:
        return _train(args, _prepare(args))
    except (ValueError, TrainingError) as error:
        raise CommandError(str(error)) from error


def _prepare(args: argparse.Namespace) -> TrainOptions:
    from ..training.run import STATE_FILE

    if not args.resume and (args.out / STATE_FILE).exists():
        raise CommandError(f"{args.out} holds a run already; add --resume, or name another folder.")
    if args.split is not None and not args.split.is_file():
        raise CommandError(f"--split {args.split}: there is no such file.")
    return options_from(args)


def _train(args: argparse.Namespace, options: TrainOptions) -> int:
    import torch
    from rich.console import Console

    from ..models import StyleGAN
    from ..training.pictures import PictureFolder
    from ..training.run import STATE_FILE, Run
    from ..training.trainer import Trainer

    console = Console()
    device = args.device if args.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    folders = [PictureFolder.scan(args.content), PictureFolder.scan(args.style)]
    for folder in folders:
        console.print(folder.describe())
    photos, paintings = (folder.split("train", args.split) for folder in folders)
    val_photos, val_paintings = (folder.split("val", args.split) for folder in folders)
    console.print(f"training on {len(photos)} photos and {len(paintings)} paintings, on {device}")
    start = StyleGAN.load(args.init) if args.init else None
    trainer = Trainer(options, photos, paintings, device=device, say=console.print, start=start)
    if args.resume:
        trainer.load_state(args.out / STATE_FILE)
        console.print(f"resumed at step {trainer.step}")
    run_ = Run(trainer, args.out, val_photos, val_paintings, args.save_minutes)
    if not _train_with_progress(run_, console):
        console.print(f"stopped at step {trainer.step}; the same command with --resume goes on from there")
        return 130
    console.print(f"wrote {run_.finish(console.print)}")
    return 0


def _train_with_progress(run_: Run, console: Console) -> bool:
    """Train behind a progress bar; Ctrl-C and SIGTERM end it after the step that is under way."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    stopped = False

    def stop(signum: int, frame: object) -> None:
        nonlocal stopped
        stopped = True

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    trainer = run_.trainer
    handled = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, stop) for number in handled]
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(
                "train", total=trainer.options.steps, completed=trainer.step, rate="", losses="starting"
            )

            def show(step: int, values: dict[str, float]) -> None:
                shown = ("content", "gram", "mean_std", "adversarial", "total")
                losses = " ".join(f"{k} {values[k]:.3f}" for k in shown if k in values)
                rate = f"{progress.tasks[0].speed or 0.0:.2f} steps/s"
                progress.update(task, completed=step, losses=losses, rate=rate)

            return run_.train(show, lambda: stopped)
    finally:
        for number, handler in zip(handled, previous, strict=True):
            signal.signal(number, handler)
