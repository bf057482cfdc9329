"""How long does Brushwork take to start, beside `import torch`?

    python -m benchmarks.cold_start
    COMFYUI_PATH=… COMFYUI_PYTHON=… python -m benchmarks.cold_start

CPU seconds, user and system, of fresh processes with one thread each: `import torch`, and `brushwork paint`
of one photo of 1000 x 1000 pixels. With COMFYUI_PATH also what ComfyUI takes to load the pack, on top of
PyTorch and of ComfyUI itself. The processes take turns. The first round is not counted: in it Python compiles
what has been installed. Linux and macOS.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

import brushwork
from brushwork.base.shipped import demo_photos

SIDE = 1000
STYLE = "hokusai-great-wave"
PACK_BAR = 0.15
"""CPU seconds that loading the pack in ComfyUI may take."""


# Runs in ComfyUI's Python, in its folder. What is imported first is what ComfyUI has loaded by then: its own
# folder `utils`, before a package of site-packages takes the name, and its reader of pyproject.toml.
LOAD_PACK = """
import asyncio, os, sys, time
sys.path.insert(0, os.getcwd())
pack, sys.argv[1:] = sys.argv[1], ["--cpu"]
import utils.install_util
from comfy.cli_args import args
args.cpu = True
import comfy_config.config_parser, nodes
from comfy_api.latest import io, ui
begin = time.process_time()
loaded = asyncio.run(nodes.load_custom_node(pack))
seconds = time.process_time() - begin
if not loaded:
    sys.exit(f"ComfyUI could not load {pack}.")
print(seconds)
"""


def cpu_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """User and system time of a process. Raises RuntimeError with what it said if it failed."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed: {said.read().decode(errors='replace')[-2000:]}")
    return usage.ru_utime + usage.ru_stime


def pack_seconds(comfyui: str, environment: Mapping[str, str]) -> float:
    """CPU seconds that ComfyUI takes to load the pack: import, entry point and the schemas of all nodes.

    Raises RuntimeError if it cannot.
    """
    command = [os.environ.get("COMFYUI_PYTHON", sys.executable), "-c", LOAD_PACK, str(root())]
    done = subprocess.run(command, cwd=comfyui, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"Loading the pack in ComfyUI failed: {done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])


def root() -> Path:
    return Path(brushwork.__file__).resolve().parent


def measure(rounds: int, comfyui: str | None, side: int) -> dict[str, list[float]]:
    """CPU seconds of all counted rounds, by what was started."""
    found: dict[str, list[float]] = {"import torch": [], "brushwork paint": []}
    if comfyui:
        found["the pack in ComfyUI"] = []
    with tempfile.TemporaryDirectory() as folder:
        # Bytecode is kept, whatever the caller's environment says: this is how it is installed.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["OMP_NUM_THREADS"] = "1"
        environment["PYTHONPATH"] = os.pathsep.join([str(root().parent), environment.get("PYTHONPATH", "")])
        photo, painted = Path(folder, "photo.jpg"), Path(folder, "painted.png")
        with Image.open(demo_photos()[0]) as image:
            image.convert("RGB").resize((side, side)).save(photo, quality=92)
        paint = ["-m", "brushwork.cli.main", "paint", str(photo), "--style", STYLE, "--out", str(painted)]
        for number in range(rounds + 1):
            seconds = {
                "import torch": cpu_seconds([sys.executable, "-c", "import torch"], environment),
                "brushwork paint": cpu_seconds([sys.executable, *paint, "--overwrite"], environment),
            }
            if comfyui:
                seconds["the pack in ComfyUI"] = pack_seconds(comfyui, environment)
            if number:
                for what, value in seconds.items():
                    found[what].append(value)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.cold_start", description="CPU seconds of a start, beside import torch."
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="COUNT", help="starts of each that count (default 5)"
    )
    parser.add_argument(
        "--side", type=int, default=SIDE, metavar="PIXELS", help=f"of the square photo (default {SIDE})"
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; give 1 or more.")
    # Measure, and print the table and the bars.
    found = measure(options.rounds, os.environ.get("COMFYUI_PATH"), options.side)

    print("| start | CPU s, median | least - most |\n| --- | ---: | ---: |")
    for what, values in found.items():
        print(f"| {what} | {statistics.median(values):.2f} | {min(values):.2f} - {max(values):.2f} |")
    pairs = zip(found["brushwork paint"], found["import torch"], strict=True)
    print(f"\nbrushwork paint on top of import torch: {statistics.median(a - b for a, b in pairs):.2f} s.")
    if pack := found.get("the pack in ComfyUI"):
        verdict = "met" if statistics.median(pack) <= PACK_BAR else "MISSED"
        print(f"The pack in ComfyUI: {statistics.median(pack):.3f} s; bar {PACK_BAR} s: {verdict}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
