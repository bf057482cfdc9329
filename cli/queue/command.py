"""`brushwork queue`: run a workflow for many pictures on one or several ComfyUI servers."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import CommandError
from ..extras import require
from ..results import check_folder
from ..workflow.files import Workflow, find_workflow, read_workflow
from ..workflow.interface import read_inputs
from ..workflow.settings import add_workflow_arguments, apply_settings

if TYPE_CHECKING:
    from .jobs import PromptTemplate, QueueJob
    from .manifest import Results
    from .pool import Pool
    from .server import ComfyServer
    from .worker import Worker

DEFAULT_SERVER = "http://127.0.0.1:8188"
_SECONDS_TO_CANCEL = 10.0


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
    add("--pairs", choices=("cross", "zip"), default="cross", help="each with each (default), or in pairs")
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
    add("--retries", type=int, default=3, metavar="N", help="for a picture whose server died (default: 3)")
    add(
        "--patience",
        type=float,
        default=300,
        metavar="SECONDS",
        help="how long to wait when no server answers (default: 300)",
    )
    add("--overwrite", action="store_true", help="paint pictures again that are there already")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Paint all pictures; 0 if all came out, 1 if some failed, 130 if Ctrl-C stopped it."""
    require(("httpx", "rich", "websockets"), "queue", "the queue needs")
    from ..pictures import find_pictures
    from .jobs import make_jobs

    nodes = read_workflow(find_workflow(args.workflow))
    contents = find_pictures(args.content, "--content")
    styles = find_pictures(args.style, "--style") if args.style else []
    check_folder(args.out, "--out")
    args.out.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_run(args, nodes, make_jobs(contents, styles, args.pairs)))


async def _run(args: argparse.Namespace, nodes: Workflow, jobs: list[QueueJob]) -> int:
    from .manifest import Results
    from .server import ComfyServer

    servers = [ComfyServer(url) for url in dict.fromkeys(args.servers or [DEFAULT_SERVER])]
    try:
        info = await _first_answer(servers)
        inputs = {name: read_inputs(entry["input"]) for name, entry in info.items()}
        template = _template(args, nodes, inputs)
        results = Results(args.out)
        todo = [job for job in jobs if args.overwrite or not results.has(job.name)]
        if len(todo) < len(jobs):
            _check_settings(jobs, template, results)
            print(f"{len(jobs) - len(todo)} of {len(jobs)} are there already.", file=sys.stderr)
        return await _paint(args, servers, template, results, todo)
    finally:
        for server in servers:
            await server.close()


def _template(args: argparse.Namespace, nodes: Workflow, inputs: dict[str, Any]) -> PromptTemplate:
    from .jobs import make_template

    apply_settings(nodes, args.settings, inputs)
    return make_template(nodes, inputs, args.content_node, args.style_node, bool(args.style))


async def _first_answer(servers: list[ComfyServer]) -> dict[str, Any]:
    """The nodes of the first server that answers. Raises CommandError if none does."""
    from .server import ServerDownError

    reasons = []
    for asked in asyncio.as_completed([server.object_info() for server in servers]):
        try:
            return await asked
        except ServerDownError as error:
            reasons.append(str(error))
    names = ", ".join(server.url for server in servers)
    raise CommandError(
        f"There is no ComfyUI server at {names} ({reasons[0]}); start it, or name it with --server."
    )


def _check_settings(jobs: list[QueueJob], template: PromptTemplate, results: Results) -> None:
    """Raise CommandError if a result in the folder was made from other pictures or settings."""
    from .manifest import sha256_of

    others = []
    for job in jobs:
        digest = results.digest(job.name) if results.has(job.name) else None
        if digest is not None and digest != template.digest([sha256_of(path) for path in job.pictures]):
            others.append(job.name)
    if others:
        raise CommandError(
            f"{len(others)} results in {results.folder} were made with other settings or pictures, "
            f"{others[0]} first; name another --out, or add --overwrite to paint them again."
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
    from .worker import Shared, Worker

    pool = Pool(jobs, args.retries)
    facts = {"workflow": Path(args.workflow).name, "settings": args.settings, "seeds": template.seeds}
    started = time.monotonic()
    with QueueDisplay([server.name for server in servers], len(jobs)) as display:
        shared = Shared(template, pool, results, display, facts, args.patience)
        workers = [Worker(server, shared) for server in servers]
        pool.workers += workers
        stopped = await _until_over(workers)
    return _summary(pool, stopped, time.monotonic() - started)


async def _until_over(workers: list[Worker]) -> bool:
    """Let the workers work. Returns whether Ctrl-C ended it; either way the servers keep no prompt."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    stopping = asyncio.create_task(stop.wait())
    working: set[asyncio.Task[object]] = {asyncio.create_task(worker.work()) for worker in workers}

    def on_signal(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)  # a second Ctrl-C ends at once
        loop.call_soon_threadsafe(stop.set)

    # Wait for the last worker or a signal. The first worker that fails ends it for all.
    handled = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, on_signal) for number in handled]
    try:
        while working and not stopping.done():
            done, _ = await asyncio.wait({*working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & working:
                working.remove(task)
                task.result()
        return bool(working)
    finally:
        # Whatever happened, leave nothing on the servers.
        await _end({*working, stopping})
        await _cancel(workers)
        for number, handler in zip(handled, previous, strict=True):
            signal.signal(number, handler)


async def _end(tasks: set[asyncio.Task[object]]) -> None:
    """Cancel until the task ends: the call that it waits for may lose a cancellation in a race."""
    while tasks:
        for task in tasks:
            task.cancel()
        done, tasks = await asyncio.wait(tasks, timeout=1)
        for task in done:
            if not task.cancelled():
                task.exception()  # of several, the first has been raised


async def _cancel(workers: list[Worker]) -> None:
    """Take prompts off the servers: all after Ctrl-C, otherwise those that other servers took over."""
    cancelling = [asyncio.wait_for(worker.cancel(), _SECONDS_TO_CANCEL) for worker in workers]
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
