"""One of many processes that paint: jobs come to it as text, and outcomes go back as text.

It paints with `paint_files`, like one process alone. It knows nothing of how the processes are run.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ...base.allocator import keep_memory
from ...base.shipped import STYLES_DIR
from ...base.version import version
from ...pictures.limits import VARIABLE, raised_by, way_to_raise
from ..errors import EngineError, WriteError
from ..films.options import SteadyOptions
from ..folders import FilmWork, paint_files
from ..jobs import PaintJob
from ..large_files import any_large
from ..options import StylizeOptions
from ..styles import MixedStyle, SavedStyle, StyleSource
from ..stylizer import Stylizer

_PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True)
class WorkerSetup:
    """What all workers share: how to paint, and what they check before they begin."""

    styles: tuple[StyleSource, ...]
    """Jobs name them by their places here."""
    options: StylizeOptions
    steady: SteadyOptions
    checkpoint: Path | None
    device: str
    tile: int
    overwrite: bool
    network: Mapping[str, str] | None
    """`Stylizer.network` of the process that plans."""
    marker: Path
    """A file in the folder of the results, which a worker sees if it shares the folder."""
    folder: Path | None
    """The folder of relative paths; None if there is none among them."""
    batch: int = 0
    version: str = field(default_factory=version)
    styles_dir: Path = STYLES_DIR
    pixel_limit: str | None = field(default_factory=lambda: os.environ.get(VARIABLE))
    way_to_raise: str = field(default_factory=way_to_raise)
    """What advice about that limit names: an option of the command that plans."""


@dataclass(frozen=True)
class OutcomeRecord:
    """The outcome of the job `number`, with sentences for the user that came up before it.

    `stop` is the kind of an error that ends all painting, with its sentence; empty for a job's outcome.
    """

    number: int = -1
    result: str = ""
    sentence: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    stop: str = ""

    def text(self) -> str:
        # ASCII: names of files may hold what no encoding has.
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> OutcomeRecord:
        values = json.loads(text)
        return cls(**{**values, "notes": tuple(values["notes"])})

    def raise_if_stop(self) -> None:
        """Raise WriteError or EngineError, or RuntimeError with a traceback for a fault of the program."""
        if self.stop:
            raise {"write": WriteError, "engine": EngineError}.get(self.stop, RuntimeError)(self.sentence)


def share_text(jobs: Sequence[tuple[int, PaintJob]], styles: Mapping[StyleSource, int]) -> str:
    """Jobs with their numbers as text for a worker; `styles` gives their places in `WorkerSetup.styles`."""
    rows = [(number, str(job.photo), styles[job.style], str(job.target)) for number, job in jobs]
    return json.dumps(rows)


class Worker:
    """Paints shares of the jobs with a network of its own, which it loads for the first one."""

    def __init__(self, setup: WorkerSetup):
        self._setup = setup
        self._stylizer: Stylizer | None = None

    def paint(self, share: str) -> Iterator[str]:
        """The text of a record for each job of `share` (`share_text`), as soon as the job is done.

        A share that is painted once more, because its first worker died, leaves the files that are there.
        """
        try:
            for record in self._records(json.loads(share)):
                yield record.text()
        except WriteError as error:
            yield OutcomeRecord(sentence=str(error), stop="write").text()
        except EngineError as error:
            yield OutcomeRecord(sentence=str(error), stop="engine").text()
        except Exception:
            yield OutcomeRecord(sentence=f"A worker failed.\n{traceback.format_exc()}", stop="fault").text()

    def _records(self, rows: Sequence[tuple[int, str, int, str]]) -> Iterator[OutcomeRecord]:
        setup = self._setup
        # The network comes with the first share; then the rows become jobs again.
        if self._stylizer is None:
            self._stylizer = _ready(setup)
        styles = [_own_copy(style, setup.styles_dir) for style in setup.styles]
        numbered = {Path(target): number for number, _, _, target in rows}
        jobs = [PaintJob(Path(photo), styles[place], Path(target)) for _, photo, place, target in rows]
        if not any_large((job.photo for job in jobs), self._stylizer):
            keep_memory()
        notes: list[str] = []
        with _warnings_in(notes), raised_by(setup.way_to_raise):
            for outcome in paint_files(
                jobs, self._stylizer, setup.overwrite, on_note=notes.append, films=FilmWork(setup.steady)
            ):
                yield OutcomeRecord(
                    numbered[outcome.job.target],
                    outcome.result.value,
                    outcome.sentence,
                    outcome.seconds,
                    tuple(notes),
                )
                notes.clear()


def _ready(setup: WorkerSetup) -> Stylizer:
    """The network of this worker, which sees the same files as the process that plans.

    Raises EngineError if it does not, or if this is another Brushwork.
    """
    # Is this the same Brushwork, in the same place, beside the same files?
    machine = socket.gethostname()
    if version() != setup.version:
        raise EngineError(
            f"The machine {machine} has Brushwork {version()}, and this one {setup.version}; install the "
            "same everywhere."
        )
    if setup.folder is not None:
        try:
            os.chdir(setup.folder)
        except OSError as error:
            raise EngineError(
                f"The machine {machine} has no folder {setup.folder}, where this command was started; give "
                "whole paths, in a folder that all machines share."
            ) from error
    if not setup.marker.exists():
        raise EngineError(
            f"The machine {machine} does not see what is in {setup.marker.parent}; put photos and results "
            "into a folder that all machines share."
        )
    # Load the network: is it the same?
    if setup.pixel_limit is not None:
        os.environ[VARIABLE] = setup.pixel_limit
    try:
        stylizer = Stylizer.load(setup.checkpoint, setup.options, setup.device, setup.tile, setup.batch)
    except ValueError as error:
        raise EngineError(f"The machine {machine} cannot paint: {error}") from error
    if stylizer.network != setup.network:
        raise EngineError(
            f"The machine {machine} has another network than this one; install the same Brushwork "
            "everywhere, or name the network with --checkpoint."
        )
    return stylizer


def _own_copy(style: StyleSource, styles_dir: Path) -> StyleSource:
    """The style with this machine's files, if it is of the library in `styles_dir` of another machine."""
    if isinstance(style, MixedStyle):
        return replace(style, parts=tuple(_own_copy(part, styles_dir) for part in style.parts))
    if isinstance(style, SavedStyle) and style.path.parent == styles_dir:
        return replace(style, path=STYLES_DIR / style.path.name)
    return style


@contextmanager
def _warnings_in(notes: list[str]) -> Iterator[None]:
    """Put Brushwork's warnings into `notes`, where one process alone would print them."""

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            notes.append(record.getMessage())

    handler, logger = Collecting(logging.WARNING), logging.getLogger(_PACKAGE)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
