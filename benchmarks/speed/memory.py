"""Peak memory of one system painting one picture, measured in a process of its own.

    python -m benchmarks.speed.memory microast 2048 --microast PATH

Prints one line of JSON. `benchmarks.speed` starts this once per system and size, because memory that an
allocator or another system once took would count for the next one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers import CHECKOUTS, SYSTEMS, LeftOut, Setup, add_setup_arguments, build
from benchmarks.speed.sizes import Size, picture_size, sides
from brushwork.models import CheckpointError

# Where `benchmarks` can be imported from.
ROOT = Path(__file__).resolve().parents[2]


def can_measure() -> bool:
    """Whether a process learns its peak here: on Linux and on macOS."""
    return find_spec("resource") is not None


def resident_and_peak() -> tuple[int, int]:
    """Bytes of this process in memory: now, and at the peak. On macOS both are the peak.

    On Linux they come from /proc and not from getrusage: its maximum starts at that of the parent process,
    which has PyTorch loaded.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        now, peak = (int(fields[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))
        return now, peak
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak, peak


def paint_and_measure(system: str, size: Size, setup: Setup) -> dict[str, int]:
    """Bytes: `peak` of the whole process (CUDA: of PyTorch's allocator), and the part `above`.

    The latter was taken after libraries and weights were loaded. Both include the two pictures of `size`.
    """
    torch.set_num_threads(setup.threads)
    painter = build(system, setup)
    cuda = torch.device(setup.device).type == "cuda"
    before = torch.cuda.memory_allocated() if cuda else resident_and_peak()[0]
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    content, style = torch.rand(2, 1, 3, *sides(size)).to(setup.device)
    painter.paint(content, style)
    peak = torch.cuda.max_memory_allocated() if cuda else resident_and_peak()[1]
    return {"peak": peak, "above": peak - before}


def peak_memory(system: str, size: Size, setup: Setup) -> dict[str, int]:
    """`paint_and_measure` in a fresh process.

    Raises RuntimeError with what that process said if it failed.
    """
    arguments = [system, str(size), "--device", setup.device]
    arguments += ["--threads", str(setup.threads), "--checkpoint", str(setup.checkpoint)]
    for name in CHECKOUTS:
        if (checkout := getattr(setup, name)) is not None:
            arguments += [f"--{name}", str(checkout)]
    found: dict[str, int] = in_fresh_process("benchmarks.speed.memory", arguments, f"of {system}")
    return found


def in_fresh_process(module: str, arguments: Sequence[str], what: str) -> Any:  # noqa: ANN401  # whatever it prints
    """The JSON in the last line that `python -m module` prints.

    Raises RuntimeError with what that process said if it failed; `what` says whose memory it measures.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"Measuring the memory {what} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.speed.memory", description="Peak memory of one system painting one picture."
    )
    parser.add_argument("system", choices=SYSTEMS, help="what paints")
    parser.add_argument("size", type=picture_size, help="pixels: the side of squares, or 3840x2160")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=Setup.checkpoint,
        help="network of Brushwork (default: the shipped one)",
    )
    add_setup_arguments(parser)
    # Everything except system and size is for `Setup`.
    options = vars(parser.parse_args(arguments))
    system, size = options.pop("system"), options.pop("size")
    try:
        print(json.dumps(paint_and_measure(system, size, Setup(**options))))
    except (LeftOut, CheckpointError) as reason:
        print(f"benchmarks.speed.memory: {system}: {reason}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
