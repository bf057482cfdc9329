"""How fast the systems paint, and how much memory they take.

    python -m benchmarks.speed --microast PATH --json FILE
    python -m benchmarks.speed --devices cuda --microast PATH --json FILE    # the bars of a GPU, in minutes

Every call encodes the photo, encodes the style and paints. The systems take turns within every round (A B C,
A B C, …), so that a busy minute of the machine hits all of them.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.peers import PEERS, CompiledBrushwork, Setup, System, build_available
from benchmarks.speed.limits import Rates, rates_of, synchronize, work_of
from benchmarks.speed.memory import peak_memory
from benchmarks.speed.report import (
    GPU_MEMORY_BAR_SIZE,
    GPU_SPEED_BARS,
    Measurement,
    bars,
    costs,
    limits,
    table,
)
from benchmarks.speed.request import BATCH_SIZE, parse
from benchmarks.speed.sizes import Size, sides
from brushwork.base.files import write_atomically
from brushwork.models import CheckpointError
from brushwork.models.memory import is_out_of_memory

COMPARED = ("brushwork", *PEERS)
# Besides, where it may be faster.
ON_GPU = ("brushwork-half",)

SIZES: dict[str, list[Size]] = {"cpu": [384, 512, 1024, 2048], "cuda": list(GPU_SPEED_BARS)}
# Starting a process for each size and system takes longer than painting on a GPU.
MEMORY_SIZES: dict[str, list[Size]] = {"cpu": SIZES["cpu"], "cuda": [GPU_MEMORY_BAR_SIZE]}
BATCHES: dict[str, tuple[int, ...]] = {"cuda": (8, 32)}
COMPILED = {"cuda": "reduce-overhead"}

# Between two calls: thread pools spin for a while after their last job and would slow down the next system.
PAUSE_SECONDS = 0.1

# Rounds that do not count: PyTorch compiles in the first, and records CUDA graphs in the next ones.
WARM_UPS = 3


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


def batch_rates(system: System, counts: Sequence[int], size: int, rounds: int, device: str) -> str:
    """A line on how many pictures a second batches of `counts` give, and how many one after the other."""
    generator = torch.Generator().manual_seed(0)
    most = max(counts)
    photos, style = (torch.rand(n, 3, size, size, generator=generator).to(device) for n in (most, 1))
    seconds: dict[int, list[float]] = {count: [] for count in (1, *counts)}
    for _ in range(WARM_UPS + rounds):
        for count, found in seconds.items():
            found.append(time_once(system, photos[:count], style) / count)
    rates = {count: 1 / statistics.median(found[WARM_UPS:]) for count, found in seconds.items()}
    together = "".join(f"{rates[count]:.1f} pictures a second in a batch of {count}, " for count in counts)
    return f"{system.name} at {size} on {device}: {together}{rates[1]:.1f} one by one."


def compiled_rates(setup: Setup, mode: str, plain: System, counts: Sequence[int], rounds: int) -> list[str]:
    """The same line for the network in compiled code, and one on what that cost and how far it is off."""
    compiled, device = CompiledBrushwork(setup, mode), setup.device
    content, style = pictures(BATCH_SIZE, device)
    first = time_once(compiled, content, style)
    worst = float((compiled.paint(content, style) - plain.paint(content, style)).abs().max())
    line = (
        f"{compiled.name} on {device}: the first picture took {first:.0f} s, and pixels differ by "
        f"{255 * worst:.2g}/255 at most."
    )
    return [line, batch_rates(compiled, counts, BATCH_SIZE, rounds, device)]


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


def main(arguments: list[str] | None = None) -> int:
    request = parse(arguments)
    torch.set_num_threads(request.setup.threads)
    # Measure on every device: times in this process, memory in one of its own per system.
    rows: list[Measurement] = []
    batches: list[str] = []
    notes: dict[str, str] = {}
    for device in request.devices:
        setup = request.setup_on(device)
        kind = torch.device(device).type
        try:
            systems = build_available(COMPARED if kind == "cpu" else COMPARED + ON_GPU, setup)
        except CheckpointError as error:
            print(f"benchmarks.speed: {error}", file=sys.stderr)
            return 2
        notes |= {system.name: system.note for system in systems.values()}
        rates = rates_of(device) if request.limits or kind == "cuda" else None
        for size in request.sizes or SIZES.get(kind, SIZES["cpu"]):
            found = time_in_turns(systems, size, request.rounds, device)
            if request.memory and (request.sizes or size in MEMORY_SIZES.get(kind, [])):
                for row in found:
                    row.memory = peak_memory(row.system, size, setup)
            for row in found:
                if rates and row.system == "brushwork":
                    row.least = least_seconds(systems[row.system], size, device, rates)
            rows += found
        counts = BATCHES.get(kind, ()) if request.batches is None else request.batches
        mode = request.compile or COMPILED.get(kind, "none")
        if counts:
            batches.append(batch_rates(systems["brushwork"], counts, BATCH_SIZE, request.rounds, device))
        if counts and mode != "none":
            batches += compiled_rates(setup, mode, systems["brushwork"], counts, request.rounds)

    # Show the table and the bars, and write all of it as JSON.
    print(f"{machine(request.setup.threads)}\n\n{table(rows)}\n")
    lines = [f"{name}: {note}." for name, note in notes.items()]
    print("\n".join([*lines, *bars(rows), *limits(rows), *costs(rows), *batches]))
    if request.json:
        record = {
            "machine": machine(request.setup.threads),
            "rows": [vars(row) for row in rows],
            "bars": bars(rows),
            "limits": limits(rows),
            "costs": costs(rows),
            "batches": batches,
        }
        write_atomically(request.json, json.dumps(record, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
