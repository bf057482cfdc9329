"""200 pictures on a Ray cluster of two machines, while a worker is killed: is any lost or painted twice?

    python -m benchmarks.many_machines
    python -m benchmarks.many_machines --kill machine --pictures 400

Both machines are processes on this one, with a worker each. The local engine paints the same pictures first,
and every file has to be the same, byte by byte. Prints rates, and the memory of the command and its workers
at five places, as Markdown tables. The exit code is 1 if a picture is lost, painted twice or different, or if
memory grew by more than `--allowed` MB after the second place of a process, the first being its warm-up.
Linux only.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.soak import megabytes_of
from tests.ray_machines import make_photos, workers_below

PLACES = 5
STYLE = "hokusai-great-wave"
PAINT = (sys.executable, "-m", "brushwork.cli.main", "paint", "photos", "--style", STYLE, "--device", "cpu")


@dataclass
class Outcome:
    """What one command printed, how long it took, and memory in MB of processes by how many were done."""

    lines: list[str] = field(default_factory=list)
    complaints: str = ""
    code: int = -1
    seconds: float = 0.0
    first: float = 0.0
    """Seconds until the first picture was done."""
    memory: dict[int, dict[int, float]] = field(default_factory=dict)
    killed: str = ""

    @property
    def rate(self) -> float:
        """Pictures a second, after the first."""
        return (len(self.lines) - 1) / (self.seconds - self.first)


def paint(
    folder: Path,
    arguments: Sequence[str],
    pictures: int,
    cluster: Any = None,  # noqa: ANN401  # ray.cluster_utils.Cluster
    kill: str = "",
) -> Outcome:
    """Run `brushwork paint` in `folder`; after a third of the pictures kill what `kill` says."""
    outcome, began = Outcome(), time.monotonic()
    places = {pictures * place // PLACES for place in range(1, PLACES + 1)}
    with (folder / "complaints.txt").open("w+") as complaints:
        process = subprocess.Popen(
            [*PAINT, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=complaints, text=True
        )
        assert process.stdout is not None
        # A line for each picture; the clock, the kill and the memory go by these.
        for line in process.stdout:
            outcome.lines.append(line.split(" (")[0])
            if len(outcome.lines) == 1:
                outcome.first = time.monotonic() - began
            if kill and not outcome.killed and len(outcome.lines) >= pictures // 3:
                outcome.killed = kill_one(cluster, kill)
            if len(outcome.lines) in places:
                measured = [process.pid, *(workers_below(os.getpid()) if cluster else [])]
                outcome.memory[len(outcome.lines)] = {pid: megabytes_of(pid) for pid in measured}
        outcome.code = process.wait()
        outcome.seconds = time.monotonic() - began
        complaints.seek(0)
        outcome.complaints = complaints.read()
    return outcome


def kill_one(cluster: Any, kill: str) -> str:  # noqa: ANN401
    """End a worker, or a machine with all its processes, as a power cut would."""
    if kill == "machine":
        # The head knows where everything is, so the other one goes.
        machine = cluster.worker_nodes.copy().pop()
        workers = workers_below(machine.all_processes["raylet"][0].process.pid)
        cluster.remove_node(machine, allow_graceful=False)
    else:
        workers = workers_below(os.getpid())[:1]
    for pid in workers:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return f"{kill}, with the process {workers[0]}"


def start_machines() -> Any:  # noqa: ANN401
    """Two machines with a processor each."""
    from ray.cluster_utils import Cluster

    own = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**own, "include_dashboard": False})
    cluster.add_node(**own)
    return cluster


def growth(memory: dict[int, dict[int, float]]) -> float:
    """The most MB by which a process has grown since the second place at which it was seen."""
    seen: dict[int, list[float]] = {}
    for processes in memory.values():
        for pid, megabytes in processes.items():
            seen.setdefault(pid, []).append(megabytes)
    return max((each - sizes[1] for sizes in seen.values() for each in sizes[1:]), default=0.0)


def table(memory: dict[int, dict[int, float]]) -> str:
    """Memory of each process as a Markdown table; the first one is the command."""
    pids = list(dict.fromkeys(pid for processes in memory.values() for pid in processes))
    names = ["command", *(f"worker {pid}" for pid in pids[1:])]
    lines = [f"| pictures | {' | '.join(names)} |", f"| ---: |{' ---: |' * len(names)}"]
    for done, processes in memory.items():
        cells = [f"{processes[pid]:.0f} MB" if pid in processes else "" for pid in pids]
        lines.append(f"| {done} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.many_machines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pictures", type=int, default=200, metavar="N", help="how many (default: 200)")
    parser.add_argument(
        "--kill", choices=("worker", "machine", "nothing"), default="worker", help="default: worker"
    )
    parser.add_argument(
        "--allowed", type=float, default=50.0, metavar="MB", help="growth of a process (default: 50)"
    )
    options = parser.parse_args(arguments)
    if not 20 <= options.pictures <= 100_000:
        parser.error(f"--pictures is {options.pictures}; give 20 to 100000")
    # Paint on this machine alone, then on the cluster, and read what both wrote.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_photos(folder / "photos", options.pictures)
        local = paint(folder, ["--out", "local"], options.pictures)
        cluster = start_machines()
        try:
            kill = "" if options.kill == "nothing" else options.kill
            on_ray = ["--out", "ray", "--engine", "ray", "--address", cluster.address, "--cpus", "1"]
            found = paint(folder, on_ray, options.pictures, cluster, kill)
        finally:
            cluster.shutdown()
        wanted = {path.name: path.read_bytes() for path in (folder / "local").iterdir()}
        there = {path.name: path.read_bytes() for path in (folder / "ray").iterdir()}
    # What is lost, told twice, different or too much?
    told = [Path(line).name for line in found.lines]
    lost = len(wanted.keys() - there.keys()) + len(wanted.keys() - set(told))
    twice = len(told) - len(set(told))
    different = sum(there[name] != wanted[name] for name in wanted.keys() & there.keys())
    others = len(there.keys() - wanted.keys()) + len(set(told) - wanted.keys())
    print(
        f"Killed: {found.killed or 'nothing'}. {lost} lost, {twice} told twice, {different} different, "
        f"{others} other files or lines; exit code {found.code}."
    )
    # How fast it was, and what memory did.
    print(f"Pictures a second after the first: {local.rate:.1f} local, {found.rate:.1f} with Ray.")
    print(f"Seconds until the first: {local.first:.0f} local, {found.first:.0f} with Ray.\n")
    print(table(found.memory))
    grown = growth(found.memory)
    print(f"\nA process grew by at most {grown:.0f} MB.")
    if found.complaints:
        print(f"Standard error:\n{found.complaints}", file=sys.stderr)
    wrong = lost or twice or different or others or local.code or found.code or grown > options.allowed
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
