"""`brushwork queue`: run a workflow for many pictures on one or several ComfyUI servers."""

from __future__ import annotations

import argparse
import asyncio
import copy
import math
import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ...base.excerpt import excerpt
from ...base.files import sha256_of
from ...base.folders import real_path
from ...base.pairs import PAIRS
from ..errors import CommandError
from ..extras import require
from ..results import make_folder
from ..terminal import on_endings
from ..workflow.files import Workflow, find_workflow, read_workflow
from ..workflow.settings import add_workflow_arguments, apply_settings

if TYPE_CHECKING:
    from ..workflow.interface import InputSpec
    from .jobs import PromptTemplate, QueueJob
    from .manifest import Results
    from .pool import Pool
    from .server import ComfyServer
    from .worker import ServerWorker

DEFAULT_SERVER = "http://127.0.0.1:8188"
SECONDS_TO_CANCEL = 10.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "queue",
        description=(
            "Run a workflow that was exported from ComfyUI with Export (API) once per picture, or per photo "
            "and painting, on one or several ComfyUI servers. Run it again to go on: pictures that are there "
            "already are skipped."
        ),
    )
    add = parser.add_argument
    # What to paint.
    add_workflow_arguments(parser)
    add("--content", nargs="+", required=True, metavar="DIR_OR_GLOB", help="the photos")
    add("--style", nargs="+", metavar="DIR_OR_GLOB", help="the paintings (default: the workflow's own)")
    add("--pairs", choices=PAIRS, default="cross", help="each with each (default), or in pairs")
    # Where to paint, and where the results go.
    add(
        "--server",
        action="append",
        dest="servers",
        metavar="URL",
        help=f"may be given more than once (default: {DEFAULT_SERVER})",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    # Which nodes get the pictures, and what happens when something goes wrong.
    add("--content-node", metavar="NODE", help="the node that loads the photo, if that is not clear")
    add("--style-node", metavar="NODE", help="the node that loads the painting, if that is not clear")
    add(
        "--retries",
        type=_retries,
        default=3,
        metavar="N",
        help="for a picture whose server died or gave a bad answer (default: 3)",
    )
    add(
        "--patience",
        type=_seconds,
        default=300,
        metavar="SECONDS",
        help="how long to wait when no server answers (default: 300)",
    )
    add(
        "--transfer-timeout",
        type=_seconds,
        default=600,
        metavar="SECONDS",
        help="how long one upload or download may take (default: 600)",
    )
    add(
        "--max-download-size",
        type=_megabytes,
        default=2000,
        metavar="MB",
        help="a larger result is not fetched (default: 2000)",
    )
    add("--overwrite", action="store_true", help="paint pictures again that are there already")
    parser.set_defaults(func=run)


def _retries(text: str) -> int:
    number = _number(text)
    if not (number >= 0 and number.is_integer()):
        raise argparse.ArgumentTypeError(f"'{excerpt(text)}' is no whole number from 0 up")
    return int(number)


def _seconds(text: str) -> float:
    number = _number(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"'{excerpt(text)}' is no number of seconds")
    return number


def _megabytes(text: str) -> float:
    number = _number(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"'{excerpt(text)}' is no number of MB above 0")
    return number


def _number(text: str) -> float:
    """A finite number, or NaN for any other text."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def run(args: argparse.Namespace) -> int:
    """Paint all pictures; 0 if all came out, 1 if some failed, 130 if Ctrl-C stopped it."""
    require(("httpx", "rich", "websockets"), "queue", "the queue needs")
    from ..pictures import find_pictures
    from .jobs import make_queue_jobs
    from .manifest import earlier_results

    # What was painted in an earlier run is no photo, even if it lies among the photos.
    nodes = read_workflow(find_workflow(args.workflow))
    results = earlier_results(args.out)
    contents = find_pictures(args.content, "--content", results)
    styles = find_pictures(args.style, "--style", results) if args.style else []
    jobs = make_queue_jobs(contents, styles, args.pairs)
    make_folder(args.out, "--out")
    _check_inputs_stay(jobs, args.out)
    return asyncio.run(_run(args, nodes, jobs))


def _check_inputs_stay(jobs: list[QueueJob], out: Path) -> None:
    """Raise CommandError if a result would have the name of a picture that is to be painted."""
    names = {job.name.casefold() for job in jobs}
    for path in dict.fromkeys(path for job in jobs for path in job.pictures):
        stem = path.stem.casefold()
        is_taken = stem in names or re.sub(r"~[0-9]+$", "", stem) in names
        if is_taken and real_path(path.parent) == real_path(out):
            raise CommandError(
                f"--out {excerpt(str(out), 300)} holds {excerpt(path.name)}, and a result would have its "
                "name; name another folder."
            )


async def _run(args: argparse.Namespace, nodes: Workflow, jobs: list[QueueJob]) -> int:
    from .address import Address
    from .manifest import Results
    from .server import Bounds, ComfyServer

    bounds = Bounds(args.transfer_timeout, int(args.max_download_size * 2**20))
    addresses = [Address.parse(text) for text in args.servers or [DEFAULT_SERVER]]
    servers = [ComfyServer(address, bounds) for address in {each.url: each for each in addresses}.values()]
    try:
        template = await _first_template(args, servers, nodes)
        with Results(args.out).owned():
            return await _paint_missing(args, servers, template, jobs)
    finally:
        for server in servers:
            await server.close()


async def _paint_missing(
    args: argparse.Namespace, servers: list[ComfyServer], template: PromptTemplate, jobs: list[QueueJob]
) -> int:
    """Paint what is not there yet."""
    from .manifest import Results

    results = Results(args.out)
    todo = [job for job in jobs if args.overwrite or not results.has(job.name)]
    if len(todo) < len(jobs):
        _check_settings(jobs, template, results)
        print(f"{len(jobs) - len(todo)} of {len(jobs)} are there already.", file=sys.stderr)
    if todo:
        results.check_writable()
    return await _paint(args, servers, template, results, todo)


async def _first_template(
    args: argparse.Namespace, servers: list[ComfyServer], nodes: Workflow
) -> PromptTemplate:
    """The workflow as the first server takes it that answers and has its nodes.

    Raises CommandError if none does.
    """
    from .answers import ServerDownError

    # Ask all servers at once; the first good answer counts.
    asking = {asyncio.create_task(server.object_info()): server for server in servers}
    silent: list[str] = []
    lacking: CommandError | None = None
    try:
        for asked in asyncio.as_completed(list(asking)):
            try:
                return _template(args, copy.deepcopy(nodes), await asked)
            except ServerDownError as error:
                silent.append(str(error))
            except CommandError as error:
                lacking = lacking or error
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    # None took it. A node that is missing says more than a server that is away.
    if lacking is not None:
        raise lacking
    names = ", ".join(server.address.url for server in servers)
    raise CommandError(
        f"There is no ComfyUI server at {names} ({silent[0]}); start it, or name it with --server."
    )


def _template(
    args: argparse.Namespace, nodes: Workflow, inputs: dict[str, dict[str, InputSpec]]
) -> PromptTemplate:
    from .jobs import make_template

    apply_settings(nodes, args.settings, inputs)
    return make_template(nodes, inputs, args.content_node, args.style_node, bool(args.style))


def _check_settings(jobs: list[QueueJob], template: PromptTemplate, results: Results) -> None:
    """Raise CommandError if a result in the folder was made from other pictures or settings."""
    others = []
    for job in jobs:
        digest = results.digest(job.name) if results.has(job.name) else None
        if digest is None:
            continue
        try:
            hashes = [sha256_of(path) for path in job.pictures]
        except OSError:
            continue  # its result is there, so the picture is not needed
        if digest != template.digest(hashes):
            others.append(job.name)
    if others:
        raise CommandError(
            f"{len(others)} results in {results.folder} were made with other settings or pictures, "
            f"{excerpt(others[0])} first; name another --out, or add --overwrite to paint them again."
        )


async def _paint(
    args: argparse.Namespace,
    servers: list[ComfyServer],
    template: PromptTemplate,
    results: Results,
    jobs: list[QueueJob],
) -> int:
    from .display import QueueDisplay
    from .pool import Pool
    from .worker import ServerWorker, Shared

    pool = Pool(jobs, args.retries)
    facts = {"workflow": Path(args.workflow).name, "settings": args.settings, "seeds": template.seeds}
    started = time.monotonic()
    with QueueDisplay([server.name for server in servers], len(jobs)) as display:
        shared = Shared(template, pool, results, display, facts, args.patience)
        workers = [ServerWorker(server, shared) for server in servers]
        pool.workers += workers
        stopped = await _until_over(pool, workers)
    return _summary(pool, stopped, time.monotonic() - started)


async def _until_over(pool: Pool, workers: list[ServerWorker]) -> bool:
    """Let the workers work. Returns whether Ctrl-C ended it; either way the servers keep no prompt."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    stopping = asyncio.create_task(stop.wait())
    # A server that keeps its worker waiting must not keep the others' results waiting.
    ending = asyncio.create_task(pool.ended.wait())
    working: set[asyncio.Task[object]] = {asyncio.create_task(worker.work()) for worker in workers}

    def on_signal(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)  # a second Ctrl-C ends at once
        loop.call_soon_threadsafe(stop.set)

    # Wait for the last worker or a signal. The first worker that fails ends it for all.
    with on_endings(on_signal):
        try:
            while working and not stopping.done() and not ending.done():
                done, _ = await asyncio.wait(
                    {*working, stopping, ending}, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done & working:
                    working.remove(task)
                    task.result()
            return not pool.ended.is_set()
        finally:
            # Whatever happened, leave nothing on the servers.
            await _end({*working, stopping, ending})
            await _cancel(workers)


async def _end(tasks: set[asyncio.Task[object]]) -> None:
    """Cancel until the task ends: the call that it waits for may lose a cancellation in a race."""
    while tasks:
        for task in tasks:
            task.cancel()
        done, tasks = await asyncio.wait(tasks, timeout=1)
        for task in done:
            if not task.cancelled():
                task.exception()  # of several, the first has been raised


async def _cancel(workers: list[ServerWorker]) -> None:
    """Take prompts off the servers: all after Ctrl-C, otherwise those that other servers took over."""
    cancelling = [asyncio.wait_for(worker.cancel(), SECONDS_TO_CANCEL) for worker in workers]
    for worker, outcome in zip(
        workers, await asyncio.gather(*cancelling, return_exceptions=True), strict=True
    ):
        if isinstance(outcome, Exception):
            print(
                f"{worker.server.name} did not answer; it may still have prompts of this run.",
                file=sys.stderr,
            )


def _summary(pool: Pool, stopped: bool, seconds: float) -> int:
    left = pool.total - pool.done - len(pool.failed)
    text = f"{pool.done} painted in {seconds:.0f} s"
    text += f", {len(pool.failed)} failed (see manifest.jsonl)" if pool.failed else ""
    if stopped:
        print(f"{text}, {left} left; the same command goes on from there.", file=sys.stderr)
        return 130
    print(f"{text}.", file=sys.stderr)
    return 1 if pool.failed else 0
