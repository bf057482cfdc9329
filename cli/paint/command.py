"""`brushwork paint`: photos in the style of paintings, as files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from types import FrameType
from typing import TYPE_CHECKING

from ...base.counts import counted
from ...painting.engines.environment import quiet_ray
from ...painting.options import RefineOptions
from ...pictures.films import is_film
from ..errors import CommandError
from ..extras import require
from ..parser import as_options
from ..pictures import check_named
from ..styles import check_style_named
from ..terminal import on_endings
from . import flags
from .request import PaintRequest

if TYPE_CHECKING:
    from ...painting.folders import PaintJob, PaintOutcome
    from .display import PaintDisplay
    from .engines import Engine


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "paint",
        usage="brushwork paint PHOTO… --style STYLE… [--refine [QUALITY]] [--out DIR|FILE] [OPTION …]",
        description="Paint photos and films in the style of paintings, style files or library styles. Every "
        "photo is painted in every style. Ctrl-C stops; the same command goes on from there, because files "
        "that exist are skipped, and films are painted on.",
    )
    flags.add_flags(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Paint what `args` ask for; 0 if all is there, 1 if some is not.

    Raises CommandError, one sentence, when it cannot start or go on.
    """
    return paint(flags.request_from(args))


def paint(request: PaintRequest) -> int:
    """Paint all pictures and print each file that was written; see `run`."""
    try:
        # PyTorch takes seconds to import, and what is missing should be told at once.
        request.check()
        options, steady = request.options(), request.steady()
    except ValueError as error:
        raise CommandError(_said(error)) from error
    for text in request.photos:
        check_named(text, "PHOTO")
    for text in request.styles:
        check_style_named(text)
    if request.engine == "ray":
        quiet_ray()
        require(("ray.data",), "ray", "--engine ray needs")
    from ...painting.errors import EngineError
    from ...painting.folders import WriteError
    from .engines import open_engine
    from .jobs import find_jobs

    try:
        jobs = find_jobs(request)
        return _paint_all(jobs, open_engine(request, jobs, options, steady))
    except (ValueError, WriteError, EngineError) as error:
        raise CommandError(_said(error)) from error


def _said(error: Exception) -> str:
    """The error's sentence, with the options as they are typed."""
    names = [each.name for each in (*fields(PaintRequest), *fields(RefineOptions))]
    return as_options(str(error), names)


def _paint_all(jobs: list[PaintJob], engine: Engine) -> int:
    from ...painting.folders import PaintResult
    from .display import open_display

    counts = dict.fromkeys(PaintResult, 0)
    with open_display(len(jobs)) as display, _stopping_is_said(display):
        # A bad photo fails in every style: once is enough.
        told: set[str] = set()
        try:
            # After Ctrl-C, what was painted is written before anything is said.
            with closing(engine.outcomes(display)) as outcomes:
                for outcome in outcomes:
                    counts[outcome.result] += 1
                    painted, sentence = outcome.result is PaintResult.PAINTED, _sentence(outcome)
                    display.finish(painted, outcome.seconds if painted and engine.in_turn else None)
                    if painted:
                        display.say(f"{outcome.job.target} ({outcome.seconds:.1f} s)")
                    elif outcome.result is not PaintResult.SKIPPED and sentence not in told:
                        told.add(sentence)
                        display.complain(f"brushwork paint: {sentence}")
        except KeyboardInterrupt:
            are = "is" if 1 in (display.done, len(jobs)) else "are"
            of_all = f"{display.done} of {_counted_jobs(jobs)}"
            display.complain(f"{of_all} {are} done; the same command goes on from there.")
            raise
        not_painted = (
            counts[each] for each in (PaintResult.SKIPPED, PaintResult.OCCUPIED, PaintResult.FAILED)
        )
        _summarize(display, _counted_jobs(jobs), *not_painted)
    return 1 if counts[PaintResult.OCCUPIED] or counts[PaintResult.FAILED] else 0


def _sentence(outcome: PaintOutcome) -> str:
    """What there is to say; of a file that --style gave, with the option."""
    sentence, job = outcome.sentence, outcome.job
    # Errors of style files say the name alone.
    files = {name for path in job.style.files for name in (str(path), path.name)} - {str(job.photo)}
    of_style = any(sentence.startswith((f"{name} ", f"There is no style file at {name};")) for name in files)
    return f"--style: {sentence}" if of_style else sentence


@contextmanager
def _stopping_is_said(display: PaintDisplay) -> Iterator[None]:
    """Within this context, what asks the process to end is answered at once: to end may take seconds."""
    said = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal said
        if not said:
            said = True
            # RuntimeError: the signal came while something else was being printed.
            with suppress(RuntimeError):
                display.complain("stopping after what is under way")
        raise KeyboardInterrupt

    with on_endings(stop):
        yield


def _counted_jobs(jobs: Sequence[PaintJob]) -> str:
    """How many pictures they paint, or films; files if there are both."""
    films = sum(is_film(job.photo) for job in jobs)
    return counted(len(jobs), "picture" if not films else "film" if films == len(jobs) else "file")


def _summarize(display: PaintDisplay, jobs: str, skipped: int, occupied: int, failed: int) -> None:
    """What was painted and what was not, in a line; for one picture only what was not."""
    parts = [
        f"{count} {what}"
        for count, what in (
            (skipped, "skipped, already there"),
            (occupied, "left, something else is there (--overwrite replaces it)"),
            (failed, "failed"),
        )
        if count
    ]
    if parts or display.pictures > 1:
        parts = [f"{display.painted} painted", *parts]
        display.complain(f"Of {jobs}: {', '.join(parts)}.")
