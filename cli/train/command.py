"""`brushwork train`: learn a style, fine-tune the network or train one, on folders of pictures."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.system_errors import system_sentence
from ..errors import CommandError
from ..extras import require
from ..parser import as_options
from ..pixel_limit import add_pixel_limit
from . import flags
from .request import TrainRequest

if TYPE_CHECKING:
    from PIL import Image
    from rich.console import Console

    from ...training.processes import Processes
    from ...training.runs.run import Run, RunOutcome
    from ...training.runs.tensorboard_log import TensorBoardLog


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "train",
        usage="brushwork train --style DIR --out DIR [--mode MODE] [--content DIR] [--dry-run] [OPTION …]",
        description="Train on folders of paintings and photos. Ctrl-C saves and stops; --resume goes on from "
        "there, bit for bit.",
    )
    add = parser.add_argument
    # The pictures, the run, and the network to begin with.
    add("--style", type=Path, required=True, metavar="DIR", help="folder of paintings")
    add("--content", type=Path, metavar="DIR", help="folder of photos (default: the six that ship)")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    add("--split", type=Path, metavar="FILE", help="JSON that says what is train, val and test")
    add(
        "--init",
        type=Path,
        metavar="FILE",
        help="the network to begin with (default: the shipped one; from scratch: none)",
    )
    add("--resume", action="store_true", help="go on with the run in --out; options that are given change")
    add("--dry-run", action="store_true", help="check the pictures, measure a few steps, print the plan")
    # What the run writes.
    add("--name", help="the name of the network and the style")
    add("--licence", help="licence note, kept in the files")
    add(
        "--save-minutes",
        type=float,
        default=TrainRequest.save_minutes,
        metavar="X",
        help="minutes between saves (default: %(default)g)",
    )
    add(
        "--preview-every",
        type=int,
        default=TrainRequest.preview_every,
        metavar="N",
        help="steps between preview pictures (default: one with each validation)",
    )
    add("--tensorboard", action="store_true", help="write TensorBoard logs to OUT/tensorboard")
    # Where it computes.
    add(
        "--device",
        default=TrainRequest.device,
        help="of one process: cpu, cuda, cuda:1, … (default: %(default)s)",
    )
    several = parser.add_argument_group("several GPUs or machines, by Lightning Fabric")
    several.add_argument("--devices", type=int, metavar="N", help="processes on each machine (default: 1)")
    several.add_argument("--num-nodes", type=int, metavar="M", help="machines (default: 1)")
    several.add_argument(
        "--strategy", choices=("ddp",), default=TrainRequest.strategy, help="how they work together"
    )
    several.add_argument(
        "--accelerator", default=TrainRequest.accelerator, help="cpu, cuda, … (default: %(default)s)"
    )
    flags.add_flags(parser)
    add_pixel_limit(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Train as `args` say; returns 0 when done, 130 when stopped by the user.

    Raises CommandError, one sentence, when it cannot start or go on.
    """
    require(("rich",), "train", "training needs")

    # PyTorch takes seconds to import, and `brushwork --help` should not.
    from ...training.launch import LaunchError, connect
    from ...training.trainer import TrainingError

    try:
        request = flags.request_from(args)
        if request.dry_run:
            from .dry_run import show_plan

            try:
                return show_plan(request)
            except OSError as error:
                raise _file_error(request, error) from error
        processes = connect(request.devices, request.num_nodes, request.accelerator, request.strategy)
    except (ValueError, TrainingError, LaunchError) as error:
        raise CommandError(_said(error)) from error

    # From here on there may be several processes, and one that fails must not leave the others waiting.
    try:
        return _train_as_one(request, processes)
    except BaseException:
        processes.abandon()
        raise


def _train_as_one(request: TrainRequest, processes: Processes) -> int:
    """One process's part of the run.

    If one of several processes fails, it reports the error. The first process also says that the run is
    over; the others end silently.
    """
    from ...training.processes import LostProcess
    from ...training.trainer import TrainingError

    try:
        return _train(request, processes)
    except (ValueError, TrainingError, CommandError) as error:
        sender = f"process {processes.rank + 1} of {processes.world}: " if processes.rank else ""
        raise CommandError(sender + _said(error)) from error
    except OSError as error:
        raise _file_error(request, error) from error
    except LostProcess as error:
        if processes.rank:
            processes.abandon()
            return 0
        raise CommandError(str(error)) from error


def _file_error(request: TrainRequest, error: OSError) -> CommandError:
    saved = request.files.state.is_file()
    how = "The run is as it was last saved, and --resume goes on from there." if saved else ""
    return CommandError(f"A file cannot be read or written: {system_sentence(error)} {how}".strip())


def _said(error: Exception) -> str:
    """The error's sentence, with the options as they are typed."""
    return as_options(str(error), [each.name for each in flags.OPTIONS])


def _train(request: TrainRequest, processes: Processes) -> int:
    from rich.console import Console

    from ..terminal import say

    # Only the first process prints.
    console = Console(quiet=processes.rank > 0)
    tell = partial(say, console)

    # Open the run in all processes, or in none. The first one owns it until the files are finished.
    with ExitStack() as owner:
        return _train_opened(request, processes, owner, console, tell)


def _train_opened(
    request: TrainRequest,
    processes: Processes,
    owner: ExitStack,
    console: Console,
    tell: Callable[[str], None],
) -> int:
    from ...training.processes import LostProcess
    from ...training.runs.tensorboard_log import TensorBoardLog
    from .setup import open_run_for

    run_ = processes.together(lambda: open_run_for(request, processes, tell, owner))
    tensorboard = processes.together(
        lambda: TensorBoardLog(run_) if request.tensorboard and run_.writes else None
    )
    if len(set(processes.texts(_digest(run_)))) > 1:
        if processes.rank:
            raise LostProcess
        raise ValueError("The processes see different pictures or options; give all the same command.")

    outcome = _train_watched(run_, console, tensorboard)
    processes.barrier()
    processes.close()
    if processes.rank:
        return 0
    return _report(run_, outcome, tell)


def _digest(run_: Run) -> str:
    """A text that is equal in processes with the same pictures and options."""
    record = run_.record()
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _train_watched(run_: Run, console: Console, tensorboard: TensorBoardLog | None) -> RunOutcome:
    """Train with a progress display; Ctrl-C and SIGTERM end it after the current step."""
    from ..terminal import stop_on_signals
    from .display import TrainDisplay

    def on_first() -> None:
        display.say("stopping after this step, and saving")

    # The display and TensorBoard hear of each step and preview.
    with TrainDisplay(console, run_) as display, stop_on_signals(on_first) as stopped:

        def on_step(step: int, values: dict[str, float]) -> None:
            display.on_step(step, values)
            if tensorboard is not None:
                tensorboard.follow()

        def on_preview(step: int, preview: Image.Image) -> None:
            if tensorboard is not None:
                tensorboard.add_preview(step, preview)

        outcome = run_.train(on_step, stopped, on_preview)
        if tensorboard is not None:
            tensorboard.close()
    return outcome


def _report(run_: Run, outcome: RunOutcome, tell: Callable[[str], None]) -> int:
    """Finish the files and say how the run ended; returns the exit code."""
    tell(outcome.sentence)
    if outcome.reason == "stopped":
        tell("The same command with --resume goes on from there.")
        return 130
    run_.finish(tell)
    best = run_.progress.best_step
    for path in (run_.files.best, run_.files.style):
        if path.exists():
            tell(f"wrote {path}, best at step {best}")
    if outcome.reason == "diverged":
        raise CommandError(outcome.sentence)
    return 0
