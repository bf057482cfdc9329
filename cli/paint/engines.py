"""What paints the jobs of `brushwork paint`: this process, or the processes of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...base.allocator import keep_memory
from ...base.counts import counted
from ...models.checkpoint import CheckpointError
from ...painting.engines.environment import Cluster
from ...painting.films.options import SteadyOptions
from ...painting.films.steps import FilmStep
from ...painting.folders import FilmWork, PaintJob, PaintOutcome, paint_files
from ...painting.large_files import any_large
from ...painting.options import StylizeOptions
from ...painting.stylizer import Stylizer
from ..errors import of_option
from .display import PaintDisplay
from .request import DEFAULT_CPUS, PaintRequest

if TYPE_CHECKING:
    from ...painting.refine_step import Step


@dataclass(frozen=True)
class Engine:
    """outcomes(display) paints, shows on the display what is under way, and gives the outcome of each job.

    in_turn says whether pictures are painted one after the other, so that a picture's time tells the pace.
    """

    outcomes: Callable[[PaintDisplay], Generator[PaintOutcome, None, None]]
    in_turn: bool


def open_engine(
    request: PaintRequest, jobs: Sequence[PaintJob], options: StylizeOptions, steady: SteadyOptions
) -> Engine:
    """The engine that `request` asks for. Raises ValueError or CommandError, one sentence, for what it cannot
    use."""
    # With Ray this process only has to know the network; workers paint.
    on_ray = request.engine == "ray"
    with of_option("--checkpoint" if request.checkpoint else None, CheckpointError):
        device = "cpu" if on_ray else request.device
        stylizer = Stylizer.load(request.checkpoint, options, device, request.tile)
    if on_ray:
        return Engine(partial(_ray, request, jobs, stylizer, steady), in_turn=False)
    if not any_large((job.photo for job in jobs), stylizer):
        keep_memory()
    return Engine(partial(_local, request, jobs, stylizer, steady), in_turn=True)


def _local(
    request: PaintRequest,
    jobs: Sequence[PaintJob],
    stylizer: Stylizer,
    steady: SteadyOptions,
    display: PaintDisplay,
) -> Generator[PaintOutcome, None, None]:
    numbers = {job.target: number for number, job in enumerate(jobs, 1)}

    def on_start(job: PaintJob) -> None:
        display.start(job.target.name, numbers[job.target])

    def on_step(step: Step) -> None:
        display.step(step.step, step.steps, step.seconds_left)

    def on_film_step(step: FilmStep) -> None:
        display.step(step.step, step.steps, step.seconds_left, step.what)

    films = FilmWork(steady, on_film_step)
    return paint_files(jobs, stylizer, request.overwrite, on_start, on_step, display.complain, films)


def _ray(
    request: PaintRequest,
    jobs: Sequence[PaintJob],
    stylizer: Stylizer,
    steady: SteadyOptions,
    display: PaintDisplay,
) -> Generator[PaintOutcome, None, None]:
    # Ray is an extra.
    from ...painting.engines.ray_data import paint_files_on_ray

    noted: set[str] = set()

    def on_note(note: str) -> None:
        # Each worker says it.
        if note not in noted:
            noted.add(note)
            display.complain(note)

    def on_wait(workers: int) -> None:
        if display.done < display.pictures:
            display.start(counted(workers, "worker"))

    return paint_files_on_ray(
        jobs,
        stylizer,
        request.checkpoint,
        request.device,
        request.overwrite,
        steady,
        Cluster(request.address, request.cpus or DEFAULT_CPUS),
        on_note,
        on_wait,
    )
