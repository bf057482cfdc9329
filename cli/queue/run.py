"""What `brushwork queue` does: paint all jobs on the servers, and leave no prompt there."""

from __future__ import annotations

import asyncio
import copy
import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from ...base.counts import counted
from ...base.excerpt import excerpt
from ...base.files import sha256_of
from ...base.folders import real_path
from ..errors import CommandError
from ..pictures import find_pictures
from ..results import make_folder
from ..terminal import on_endings
from ..workflow.files import Workflow, find_workflow, read_workflow
from ..workflow.interface import InputSpec
from ..workflow.settings import apply_settings
from .address import Address
from .answers import ServerDownError
from .display import QueueDisplay
from .jobs import PromptTemplate, QueueJob, make_queue_jobs, make_template
from .manifest import Results, earlier_results
from .pool import Pool
from .request import QueueRequest
from .server import Bounds, ComfyServer
from .worker import ServerWorker, Shared

SECONDS_TO_CANCEL = 10.0


def paint(request: QueueRequest) -> int:
    """Paint all pictures; 0 if all came out, 1 if some failed, 130 if Ctrl-C stopped it.

    Raises CommandError, one sentence, when it cannot start or go on.
    """
    # What was painted in an earlier run is no photo, even if it lies among the photos.
    nodes = read_workflow(find_workflow(request.workflow))
    results = earlier_results(request.out)
    contents = find_pictures(request.content, "--content", results)
    styles = find_pictures(request.style, "--style", results) if request.style else []
    jobs = make_queue_jobs(contents, styles, request.pairs)
    make_folder(request.out, "--out")
    _check_inputs_stay(jobs, request.out)
    return asyncio.run(_run(request, nodes, jobs))


def _check_inputs_stay(jobs: list[QueueJob], out: Path) -> None:
    """Raise CommandError if a result would be written over a picture that is to be painted, or through a link
    to one."""
    names = {job.name.casefold() for job in jobs}
    pictures = {real_path(path) for job in jobs for path in job.pictures}
    folder = real_path(out)
    for path in sorted(out.iterdir()):
        stem = path.stem.casefold()
        is_taken = stem in names or re.sub(r"~[0-9]+$", "", stem) in names
        if is_taken and (real_path(path) if path.is_symlink() else folder / path.name) in pictures:
            raise CommandError(
                f"--out {excerpt(str(out), 300)} holds {excerpt(path.name)}, and a result would have its "
                "name; name another folder."
            )


async def _run(request: QueueRequest, nodes: Workflow, jobs: list[QueueJob]) -> int:
    bounds = Bounds(request.transfer_timeout, int(request.max_download_size * 2**20))
    addresses = [Address.parse(text) for text in request.servers]
    servers = [ComfyServer(address, bounds) for address in {each.url: each for each in addresses}.values()]
    try:
        template = await _first_template(request, servers, nodes)
        with Results(request.out).owned():
            return await _paint_missing(request, servers, template, jobs)
    finally:
        for server in servers:
            await server.close()


async def _paint_missing(
    request: QueueRequest, servers: list[ComfyServer], template: PromptTemplate, jobs: list[QueueJob]
) -> int:
    """Paint what is not there yet."""
    results = Results(request.out)
    todo = [job for job in jobs if request.overwrite or not results.has(job.name)]
    if len(todo) < len(jobs):
        _check_settings(jobs, template, results)
        print(f"{len(jobs) - len(todo)} of {len(jobs)} are there already.", file=sys.stderr)
    if todo:
        results.check_writable()
    return await _paint(request, servers, template, results, todo)


async def _first_template(
    request: QueueRequest, servers: list[ComfyServer], nodes: Workflow
) -> PromptTemplate:
    """The workflow as the first server takes it that answers and has its nodes.

    Raises CommandError if none does.
    """
    # Ask all servers at once; the first good answer counts.
    asking = {asyncio.create_task(server.object_info()): server for server in servers}
    silent: list[str] = []
    lacking: CommandError | None = None
    try:
        for asked in asyncio.as_completed(list(asking)):
            try:
                return _template(request, copy.deepcopy(nodes), await asked)
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
    request: QueueRequest, nodes: Workflow, inputs: dict[str, dict[str, InputSpec]]
) -> PromptTemplate:
    apply_settings(nodes, request.settings, inputs)
    return make_template(nodes, inputs, request.content_node, request.style_node, bool(request.style))


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
            f"Other settings or pictures made {counted(len(others), 'result')} in {results.folder}, "
            f"{excerpt(others[0])} first; name another --out, or add --overwrite to paint them again."
        )


async def _paint(
    request: QueueRequest,
    servers: list[ComfyServer],
    template: PromptTemplate,
    results: Results,
    jobs: list[QueueJob],
) -> int:
    pool = Pool(jobs, request.retries)
    facts = {"workflow": Path(request.workflow).name, "settings": request.settings, "seeds": template.seeds}
    started = time.monotonic()
    with QueueDisplay([server.name for server in servers], len(jobs)) as display:
        shared = Shared(template, pool, results, display, facts, request.patience)
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
