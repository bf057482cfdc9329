"""`brushwork train --dry-run`: what the command would do, and whether the pictures are suitable."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ...base.counts import counted
from ...base.duration import duration
from ...training.launch import check_processes
from ...training.options import TrainOptions
from ...training.processes import OneProcess
from ...training.runs.files import RunFiles
from ...training.runs.owner import check_not_owned
from ...training.runs.plan import Estimate, estimate
from ...training.runs.tensorboard_log import FOLDER, require_tensorboard
from ..terminal import say
from .flags import OPTIONS, show
from .request import TrainRequest
from .setup import check_device_is_free, device_for, network_for, pictures_for


def show_plan(request: TrainRequest) -> int:
    """Print the report on the pictures and the plan; nothing is written.

    Raises ValueError, TrainingError or LaunchError, one sentence, if the run could not begin.
    """
    console = Console()
    devices, machines = _processes_and_place(request)
    world = devices * machines
    options = request.options()

    # Are the pictures suitable?
    photos, paintings = pictures_for(request, options)
    for folder, pictures in ((request.content, photos), (request.style, paintings)):
        if folder is not None:
            say(console, pictures.report.as_text() + "\n")

    # How long does it take, and how much memory?
    device = device_for(request, OneProcess())
    start = network_for(request, options)
    found = estimate(options, photos.train, paintings.train, start, device, world)

    content = str(request.content) if request.content else "the photos that ship with Brushwork"
    begins = request.init or ("untrained" if start is None else "the shipped network")
    rows = [
        ("mode", options.mode),
        ("begins with", f"the run in {request.out}" if request.resume else str(begins)),
        ("photos", f"{photos.describe('photo')} ({content})"),
        ("paintings", f"{paintings.describe('painting')} ({request.style})"),
        (
            "processes",
            f"{world} ({devices} on each of {machines}), measured on {device}",
        ),
        (
            "batch",
            f"{options.batch_size // world} of {counted(options.batch_size, 'picture')} in each process",
        ),
        *_needs(found, options),
        ("writes", "\n".join(str(path) for path in _written(request.files, options, request.tensorboard))),
        ("options", "\n".join(_settings(options))),
    ]
    for name, text in rows:
        first, *more = text.splitlines()
        say(console, f"{name:<14}{first}")
        for line in more:
            say(console, f"{'':<14}{line}")
    say(console, "\nNothing was written. Without --dry-run the training begins.")
    return 0


def _processes_and_place(request: TrainRequest) -> tuple[int, int]:
    """How many processes on how many machines; raises what the run would raise before it looks at anything
    else."""
    counts = check_processes(request.devices, request.num_nodes, request.accelerator, request.strategy)
    check_not_owned(request.out)
    if counts != (1, 1):
        check_device_is_free(request)
    if request.tensorboard:
        require_tensorboard()
    return counts


def _needs(found: Estimate, options: TrainOptions) -> list[tuple[str, str]]:
    trains = f"{found.painter:,} numbers"
    if found.discriminator:
        trains += f", and {found.discriminator:,} of the discriminator"
    parts = [
        f"{counted(phase.steps, 'step')} of {seconds:.2f} s at {phase.resolution} px"
        + (" with the discriminator" if phase.adversarial else "")
        for phase, seconds in found.seconds_per_step.items()
    ]
    memory = "unknown" if found.memory is None else f"about {_gigabytes(found.memory)} GB in each process"
    return [
        ("trains", trains),
        (
            "time",
            f"about {duration(found.seconds)}, and more for crops, targets, validation and saving",
        ),
        ("", "\n".join(parts)),
        ("memory", f"{memory}, and {_gigabytes(found.crops)} GB for the crops"),
    ]


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.2f}"


def _written(files: RunFiles, options: TrainOptions, tensorboard: bool) -> list[Path]:
    networks = [] if options.mode == "style_code" else [files.best, files.last]
    sheets = ["sheet_STEP.jpg"] if options.mode == "from_scratch" else []
    others = ["preview_STEP.jpg", *sheets, *([FOLDER] if tensorboard else [])]
    return [*networks, files.style, files.state, files.log, *(files.folder / name for name in others)]


def _settings(options: TrainOptions) -> list[str]:
    values = [f"{o.name} {show(getattr(options, o.name))}" for o in OPTIONS if o.name != "mode"]
    weights = ", ".join(f"{name} {show(value)}" for name, value in asdict(options.weights).items())
    return [*(", ".join(values[i : i + 5]) for i in range(0, len(values), 5)), f"weights: {weights}"]
