"""Peak memory of refining one picture on the CPU, measured in a process of its own.

    python -m benchmarks.refine.memory 1024 --steps 1

Prints one line of JSON. `benchmarks.refine --bars memory` starts this once per size.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import torch

from benchmarks.speed.memory import in_fresh_process, resident_and_peak
from brushwork.models.perception.vgg import LossNetwork, fastest_loss_dtype
from brushwork.painting.lbfgs import HISTORY
from brushwork.painting.options import OPTIMIZED, RefineOptions
from brushwork.painting.refine import refine

# What L-BFGS remembers of a step, for one pixel: two pictures of three channels in bfloat16.
REMEMBERED_BYTES = 2 * 3 * 2


def refine_and_measure(
    side: int, steps: int, threads: int, optimize: str = RefineOptions.optimize
) -> dict[str, float]:
    """Bytes and seconds of refining `side` x `side` pixels in `steps` steps, but at least one at each size.

    peak        the whole process at its most
    above       of it, what was taken once libraries and weights were loaded, photo and painting included
    remembered  what L-BFGS would have remembered on top of that, had there been more steps at the whole size;
                0 where no step uses L-BFGS
    """
    torch.set_num_threads(threads)
    network = LossNetwork(dtype=fastest_loss_dtype(torch.device("cpu")))
    options = RefineOptions(steps=steps, optimize=optimize)
    last = options.passes(side, side)[-1]
    before = resident_and_peak()[0]
    photo, painting = torch.rand(2, 1, 3, side, side)
    began = time.perf_counter()
    refine(None, photo, painting, options=options, network=network)
    peak = resident_and_peak()[1]
    by_lbfgs = optimize != "nearest" and not last.tuned
    missing = max(0, HISTORY - (last.steps - 1)) if by_lbfgs else 0
    return {
        "peak": peak,
        "above": peak - before,
        "remembered": missing * REMEMBERED_BYTES * side * side,
        "seconds": time.perf_counter() - began,
    }


def peak_memory(
    side: int, steps: int, threads: int, optimize: str = RefineOptions.optimize
) -> dict[str, float]:
    """`refine_and_measure` in a fresh process.

    Raises RuntimeError with what that process said if it failed.
    """
    arguments = [str(side), "--steps", str(steps), "--threads", str(threads), "--optimize", optimize]
    found: dict[str, float] = in_fresh_process("benchmarks.refine.memory", arguments, f"at {side} pixels")
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.refine.memory", description="Peak memory of refining one picture on the CPU."
    )
    parser.add_argument("side", type=int, help="side of the square pictures in pixels")
    parser.add_argument(
        "--steps", type=int, default=1, metavar="COUNT", help="steps in all, at least one a size (default 1)"
    )
    parser.add_argument("--threads", type=int, default=2, metavar="COUNT", help="CPU threads (default 2)")
    parser.add_argument(
        "--optimize", choices=OPTIMIZED, default=RefineOptions.optimize, help="how the strokes come"
    )
    options = parser.parse_args(arguments)
    found = refine_and_measure(options.side, options.steps, options.threads, options.optimize)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
