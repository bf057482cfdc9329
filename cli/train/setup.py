"""From the arguments of `brushwork train` to a run: options, pictures, device, network."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from ...dataset.collection import gather
from ...models.style_file import read_style, style_fingerprint
from ...models.style_gan import StyleGAN
from ...training.options import TrainOptions
from ...training.processes import OneProcess
from ...training.runs.run import Run, RunFiles, open_run
from .flags import options_from


def open_run_from(args: argparse.Namespace, ranks: OneProcess, tell: Callable[[str], None]) -> Run:
    """The run that `args` describe, new or resumed. Raises ValueError or TrainingError, one sentence."""
    files = RunFiles.in_folder(args.out)
    options = checked_options(args, files)
    photos, paintings = gather(args.content, args.style, args.split, options.validation_share)
    device = device_from(args, ranks)
    for kind, name in ((photos, "photos"), (paintings, "paintings")):
        tell(kind.describe(name))
    start = start_from(args, options, files)
    called, licence = _texts(args, files, start)
    where = str(device) if ranks.world == 1 else f"{ranks.world} processes, {device.type}"
    tell(f"{options.mode}, {options.steps} steps, on {where}")
    return open_run(
        options,
        photos,
        paintings,
        files,
        start,
        device=device,
        say=tell,
        ranks=ranks,
        resume=args.resume,
        name=called,
        licence=licence,
        save_minutes=args.save_minutes,
        preview_every=args.preview_every,
    )


def checked_options(args: argparse.Namespace, files: RunFiles) -> TrainOptions:
    """The options of the run. Raises ValueError, one sentence, also for flags that do not go together."""
    if args.out.exists() and not args.out.is_dir():
        raise ValueError(f"--out {args.out} is a file; name a folder.")
    if not args.resume and files.state.exists():
        raise ValueError(f"{args.out} holds a run already; add --resume, or name another folder.")
    if args.split is not None and not args.split.is_file():
        raise ValueError(f"--split {args.split}: there is no such file.")
    for flag, value in (("--save-minutes", args.save_minutes), ("--preview-every", args.preview_every)):
        if not value >= 0:
            raise ValueError(f"{flag} is {value}; give 0 or more.")
    return options_from(args, files.state if args.resume else None)


def device_from(args: argparse.Namespace, ranks: OneProcess) -> torch.device:
    """Where this process computes."""
    if ranks.world > 1:
        if args.device != "auto":
            raise ValueError(f"--device {args.device} is for one process; for several say --accelerator.")
        return ranks.device
    if args.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(args.device)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"--device {args.device} cannot be used here; give cpu, or leave it out.") from error
    return device


def start_from(args: argparse.Namespace, options: TrainOptions, files: RunFiles) -> StyleGAN | None:
    """The network to begin with; of a resumed run it is the frame into which the state goes.

    Raises ValueError, one sentence, where that network is needed and not given.
    """
    if args.init:
        return StyleGAN.load(args.init)
    if args.resume and files.best.exists():
        return StyleGAN.load(files.best)
    if options.mode == "from_scratch":
        return None
    default = StyleGAN.default()
    if args.resume and files.style.exists() and read_style(files.style).encoder != style_fingerprint(default):
        raise ValueError(f"The run in {args.out} began with a network of yours; give it again with --init.")
    return default


def _texts(args: argparse.Namespace, files: RunFiles, start: StyleGAN | None) -> tuple[str, str]:
    """Name and licence note as given, or as the run to resume has them."""
    known, given = ("", ""), (args.name, args.licence)
    if args.resume and files.style.exists():
        style = read_style(files.style)
        known = style.name, style.licence
    elif args.resume and start is not None and start.training_record:
        known = start.training_record.get("name", ""), start.training_record.get("licence", "")
    name, licence = (old if new is None else new for old, new in zip(known, given, strict=True))
    return name, licence
