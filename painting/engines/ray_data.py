"""Many files painted by the processes of a Ray cluster, with Ray Data. It needs the extra `ray`.

Ray starts the processes, hands them shares of the jobs, starts those anew that die, and gives their shares to
them once more. Photos and results are files that all machines share; only paths and records travel.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path

from ...base.system_errors import write_sentence
from ...base.temporary import temporary_file
from ...pictures.films import is_film
from ..errors import EngineError, WriteError
from ..existing import what_is_there
from ..films.options import SteadyOptions
from ..jobs import PaintJob, PaintOutcome, PaintResult
from ..stylizer import Stylizer
from .environment import Cluster, quiet_ray
from .ray_cluster import Workers, connected, first_line, workers_of
from .worker import OutcomeRecord, Worker, WorkerSetup, share_text

quiet_ray()

import pyarrow  # noqa: E402
import ray  # noqa: E402
import ray.data  # noqa: E402

# Jobs that travel together at most. A worker reads ahead and writes behind within a share.
_SHARE = 64
# Shares for each worker at least, where there are enough jobs: no worker is left without work at the end.
_SHARES = 8
# So often a share begins again after the process that painted it has died.
_RETRIES = 3
# Threads that look at files that are there already: most of it is reading.
_LOOKING = 16


def paint_files_on_ray(
    jobs: Sequence[PaintJob],
    stylizer: Stylizer,
    checkpoint: Path | None,
    device: str = "auto",
    overwrite: bool = False,
    steady: SteadyOptions | None = None,
    cluster: Cluster | None = None,
    on_note: Callable[[str], None] = lambda note: None,
    on_wait: Callable[[int], None] = lambda workers: None,
) -> Generator[PaintOutcome, None, None]:
    """The outcomes of `paint_files`, in the order in which the jobs end; the files are the same.

    What is there already is not handed out. `stylizer` says how to paint; each worker loads `checkpoint` on
    its `device`, which is 'cpu', 'cuda', or 'auto' for GPUs if the cluster has any. on_wait gets the number
    of workers before each outcome that comes from them. A job whose process dies every time fails.

    Raises WriteError if a file cannot be written, EngineError if there is no such cluster, or if its machines
    do not see the same files or have another Brushwork.
    """
    steady, cluster = steady or SteadyOptions(), cluster or Cluster()
    left: dict[int, PaintJob] = {}
    for number, (job, outcome) in enumerate(_looked_at(jobs, stylizer, overwrite, steady)):
        if outcome is None:
            left[number] = job
        else:
            yield outcome
    if not left:
        return
    with (
        connected(cluster.address),
        _marked(next(iter(left.values())).target.parent) as marker,
    ):
        workers = workers_of(device, cluster.cpus)
        places = {style: place for place, style in enumerate(dict.fromkeys(job.style for job in jobs))}
        setup = WorkerSetup(
            tuple(places),
            stylizer.options,
            steady,
            checkpoint,
            "cuda" if workers.gpus else "cpu",
            stylizer.tile,
            overwrite,
            stylizer.network,
            marker,
            _folder_of_relative_paths(left.values(), checkpoint),
            stylizer.batch,
        )
        # The second time each job that is left is alone, and no other waits behind it: one at which the
        # process dies takes these along.
        for most, waiting in ((_share_length(len(left), workers.count), 1), (1, 0)):
            texts = [share_text(part, places) for part in _shares(left, most)]
            for record in _records(texts, setup, workers, waiting, on_wait):
                record.raise_if_stop()
                for note in record.notes:
                    on_note(note)
                # After a death a record may come twice.
                if (done := left.pop(record.number, None)) is not None:
                    yield PaintOutcome(done, _result(record), record.sentence, record.seconds)
            if not left:
                return
    for job in left.values():
        yield PaintOutcome(
            job,
            PaintResult.FAILED,
            f"{job.photo}: the process that painted it died every time, perhaps for lack of memory; scale it "
            "down, or paint it with the local engine.",
        )


def _looked_at(
    jobs: Sequence[PaintJob], stylizer: Stylizer, overwrite: bool, steady: SteadyOptions
) -> Iterator[tuple[PaintJob, PaintOutcome | None]]:
    """Each job, with its outcome if its file is there and stays."""
    if overwrite:
        yield from ((job, None) for job in jobs)
        return
    look = partial(what_is_there, stylizer=stylizer, steady=steady)
    with ThreadPoolExecutor(_LOOKING, "brushwork-look") as threads:
        for start in range(0, len(jobs), 64 * _LOOKING):
            part = jobs[start : start + 64 * _LOOKING]
            yield from zip(part, threads.map(look, part), strict=True)


def _result(record: OutcomeRecord) -> PaintResult:
    """How a job ended that was not there when the painting was planned.

    If it is there now with the same settings, a worker painted it and died before it could say so.
    """
    result = PaintResult(record.result)
    return PaintResult.PAINTED if result is PaintResult.SKIPPED else result


@contextmanager
def _marked(folder: Path) -> Iterator[Path]:
    """A file in `folder`, which is made, for as long as this context lasts."""
    with ExitStack() as stack:
        try:
            marker = stack.enter_context(temporary_file(folder / "shared"))
        except OSError as error:
            raise WriteError(write_sentence(folder, error)) from error
        yield marker


def _folder_of_relative_paths(jobs: Iterable[PaintJob], checkpoint: Path | None) -> Path | None:
    paths = (path for job in jobs for path in (job.photo, job.target, *job.style.files))
    relative = any(not path.is_absolute() for path in paths)
    return Path.cwd() if relative or (checkpoint and not checkpoint.is_absolute()) else None


def _share_length(jobs: int, workers: int) -> int:
    return max(1, min(_SHARE, jobs // (workers * _SHARES)))


def _shares(left: dict[int, PaintJob], most: int) -> Iterator[list[tuple[int, PaintJob]]]:
    """The jobs in their order, `most` or fewer together, films alone."""
    for film, group in groupby(left.items(), key=lambda numbered: is_film(numbered[1].photo)):
        numbered = list(group)
        length = 1 if film else most
        for start in range(0, len(numbered), length):
            yield numbered[start : start + length]


class _RayWorker(Worker):
    """A worker as Ray Data calls it."""

    def __call__(self, shares: pyarrow.Table) -> Iterator[pyarrow.Table]:
        for share in shares["share"].to_pylist():
            for text in self.paint(share):
                yield pyarrow.table({"record": [text]})


def _records(
    shares: Sequence[str], setup: WorkerSetup, workers: Workers, waiting: int, on_wait: Callable[[int], None]
) -> Iterator[OutcomeRecord]:
    """The records of all shares, as they come; those of a share whose processes die stay away.

    At each worker so many shares are `waiting` while it paints one.
    """
    dataset = ray.data.from_items([{"share": text} for text in shares], override_num_blocks=len(shares))
    with warnings.catch_warnings():
        # Of all that Ray takes, only this name bounds how often a share begins again.
        warnings.simplefilter("ignore", DeprecationWarning)
        dataset = dataset.map_batches(
            _RayWorker,
            fn_constructor_args=(setup,),
            batch_size=1,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(
                size=min(workers.count, len(shares)), max_tasks_in_flight_per_actor=1 + waiting
            ),
            num_cpus=workers.cpus,
            num_gpus=workers.gpus,
            max_task_retries=_RETRIES,
        )
    context = dataset.context
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = -1
    # Each record comes by itself, as soon as it is there.
    context.target_max_block_size = 1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    try:
        batches = iter(dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
        while True:
            on_wait(min(workers.count, len(shares)))
            batch = next(batches, None)
            if batch is None:
                return
            for text in batch["record"].to_pylist():
                yield OutcomeRecord.of_text(text)
    except ray.exceptions.RayError as error:
        raise EngineError(f"Ray stopped: {first_line(error)}") from error
