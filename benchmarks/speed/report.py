"""What the speeds and the memory come to: the table, the cost of a pixel, and what was promised."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field

from benchmarks.speed.sizes import Size, sides

RIVAL = "microast"

# Brushwork's promises on the CPU.
SPEED_BAR, SPEED_BAR_SIZES = 3.5, (1024, 2048)
MEMORY_BAR, MEMORY_BAR_SIZE = 0.5, 2048

# Its promises on a GPU, in times MicroAST's speed by sizes, and in parts of its memory.
GPU_SPEED_BARS: dict[Size, float] = {512: 3.0, 1024: 3.0, "3840x2160": 4.0, "7680x4320": 4.0}
GPU_MEMORY_BAR, GPU_MEMORY_BAR_SIZE = 1 / 3, "3840x2160"
# How many times the least that arithmetic and memory allow, at sizes that keep the whole GPU busy.
GPU_LIMIT_BAR, GPU_LIMIT_BAR_SIZES = 4.0, ("3840x2160", "7680x4320")


@dataclass
class Measurement:
    """One system at one size on one device: seconds of every round, bytes."""

    device: str
    size: Size
    system: str
    name: str
    seconds: list[float]
    memory: dict[str, int] = field(default_factory=dict)
    least: dict[str, float] = field(default_factory=dict)
    """Seconds that `arithmetic` and `memory` alone would take, if that was asked for."""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def costs(rows: list[Measurement]) -> list[str]:
    """A line for each device on what a pixel costs Brushwork at each size: linear means the same."""
    lines = []
    for device in dict.fromkeys(row.device for row in rows):
        found = {
            row.size: row.median / math.prod(sides(row.size)) * 1e9
            for row in rows
            if (row.device, row.system) == (device, "brushwork")
        }
        if len(found) > 1:
            each = ", ".join(f"{cost:.3g} at {size}" for size, cost in found.items())
            spread = max(found.values()) / min(found.values())
            lines.append(f"Nanoseconds a pixel on {device}: {each}; the most is {spread:.2f} x the least.")
    return lines


def limits(rows: list[Measurement]) -> list[str]:
    """A line for each row with limits: how close it is to the larger of them."""
    lines = []
    for row in (row for row in rows if row.least):
        times = row.median / max(row.least.values())
        arithmetic, memory = row.least["arithmetic"] * 1e3, row.least["memory"] * 1e3
        line = (
            f"{row.name} at {row.size} on {row.device}: {row.median * 1e3:.3g} ms; arithmetic alone "
            f"{arithmetic:.3g} ms, memory alone {memory:.3g} ms; {times:.2f} x the larger"
        )
        if row.device.startswith("cuda") and row.size in GPU_LIMIT_BAR_SIZES:
            line += f"; bar {GPU_LIMIT_BAR:g} x: {'met' if times <= GPU_LIMIT_BAR else 'MISSED'}"
        lines.append(f"{line}.")
    return lines


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
    return _cpu_bars(rows) + _gpu_bars(rows) or [
        "The bars need MicroAST (--microast PATH), the CPU and sizes 1024 and 2048."
    ]


def _gpu_bars(rows: list[Measurement]) -> list[str]:
    on_gpu = {(row.system, row.size): row for row in rows if row.device.startswith("cuda")}
    lines = []
    for size, bar in GPU_SPEED_BARS.items():
        row = on_gpu.get(("brushwork", size))
        ratios = speedups(row, rows) if row else None
        if row and ratios:
            verdict = "met" if min(ratios) >= bar else "MISSED"
            lines.append(
                f"Speed at {size} on {row.device}: {ratios[0]:.2f} x MicroAST by medians, "
                f"{ratios[1]:.2f} x by round; bar {bar:g} x: {verdict}."
            )
    row, rival = (on_gpu.get((system, GPU_MEMORY_BAR_SIZE)) for system in ("brushwork", RIVAL))
    if row and rival and row.memory and rival.memory:
        share = row.memory["peak"] / rival.memory["peak"]
        verdict = "met" if share <= GPU_MEMORY_BAR else "MISSED"
        lines.append(
            f"Memory at {row.size} on {row.device}: {share:.2f} of MicroAST's peak; bar "
            f"{GPU_MEMORY_BAR:.2f}: {verdict}."
        )
    return lines


def _cpu_bars(rows: list[Measurement]) -> list[str]:
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
    return lines
