"""Does memory stay flat? Many picture sizes in one process, or many prompts on a real ComfyUI.

    python -m benchmarks.soak sizes --count 700
    COMFYUI_PATH=… COMFYUI_PYTHON=… python -m benchmarks.soak prompts --count 1000

Prints the memory of the process at ten places as a Markdown table. The exit code is 1 if it grew by more
than `--allowed` MB after the first tenth, the warm-up. Linux only, since it reads /proc.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError

import torch

from brushwork.base.shipped import WORKFLOWS_DIR
from brushwork.models import StyleGAN
from brushwork.pictures.tensors import as_picture

PLACES = 10
PROMPT_SIDE = 64


def megabytes_of(process: int | str = "self") -> float:
    """Memory of a process that is in RAM, in MB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"Process {process} has ended.")


def sizes(count: int) -> Iterator[tuple[int, int]]:
    """`count` pairs of height and width in pixels, all of them different, from 24 up."""
    many = int(count**0.5) + 1
    for i in range(count):
        # Large and small ones take turns, as in a folder of photos: a prime visits all of them.
        place = i * 7919 % many**2
        yield 24 + place // many, 24 + place % many


def paint_sizes(count: int) -> Callable[[int], None]:
    """A function that paints picture number i of a size that no other one has."""
    gan = StyleGAN.default()
    generator = torch.Generator().manual_seed(0)
    code = gan.encode_style(torch.rand(1, 3, 96, 96, generator=generator))
    every = list(sizes(count))

    @torch.inference_mode()
    def paint(i: int) -> None:
        gan.generate(gan.encode_content(torch.rand(1, 3, *every[i], generator=generator)), code)

    return paint


@contextmanager
def prompting() -> Iterator[tuple[Callable[[int], None], int]]:
    """A function that runs prompt number i on a ComfyUI of its own, and the process of that ComfyUI."""
    from tests.comfyui_server import ComfyUIServer

    workflow = json.loads((WORKFLOWS_DIR / "api" / "stylize_photo.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        server = ComfyUIServer(Path(folder) / "comfyui")
        for name in ("photo-city-singapore.jpg", "art-vangogh-starry-night.jpg"):
            picture = as_picture(torch.rand(3, PROMPT_SIDE, PROMPT_SIDE))
            picture.save(server.base / "input" / name)
        server.start()
        try:
            server.wait_until_up()

            def run(i: int) -> None:
                # Another seed, so that nothing comes from the cache except the network and the codes.
                workflow["6"]["inputs"]["seed"] = i
                id_ = server.post("/prompt", json.dumps({"prompt": workflow}).encode())["prompt_id"]
                while not (entry := server.get_json(f"/history/{id_}").get(id_)):
                    time.sleep(0.01)
                if entry["status"]["status_str"] != "success":
                    raise RuntimeError(f"Prompt {i} failed: {server.tail()}")

            yield run, server.process.pid
        finally:
            server.stop()


def measure(
    work: Callable[[int], None], process: int | str, count: int, minutes: float
) -> list[tuple[int, float]]:
    """(done, MB of the process) at ten places of `count` pieces of work, fewer if the time is over."""
    found, began = [], time.monotonic()
    places = {max(1, count * place // PLACES) for place in range(1, PLACES + 1)}
    for i in range(count):
        work(i)
        if i + 1 in places:
            found.append((i + 1, megabytes_of(process)))
        elif time.monotonic() - began > minutes * 60:
            return [*found, (i + 1, megabytes_of(process))]
    return found


def table(what: str, found: Sequence[tuple[int, float]]) -> str:
    """Memory at each place as a Markdown table."""
    rows = [f"| {done:,} | {megabytes:.0f} |" for done, megabytes in found]
    return "\n".join([f"| {what} | MB |", "| ---: | ---: |", *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.soak", description="Does memory stay flat?")
    parser.add_argument(
        "what", choices=("sizes", "prompts"), help="picture sizes here, or prompts on ComfyUI"
    )
    parser.add_argument("--count", type=int, default=700, metavar="N", help="how many (default: 700)")
    parser.add_argument(
        "--minutes", type=float, default=60.0, metavar="X", help="stop after so long (default: 60)"
    )
    parser.add_argument(
        "--allowed", type=float, default=50.0, metavar="MB", help="growth after the warm-up (default: 50)"
    )
    args = parser.parse_args(arguments)
    if not 1 <= args.count <= 10_000:
        parser.error(f"--count is {args.count}; give 1 to 10000")
    # Do it over and over, and note the memory in between.
    with ExitStack() as stack:
        try:
            if args.what == "sizes":
                torch.set_num_threads(1)
                found = measure(paint_sizes(args.count), "self", args.count, args.minutes)
            else:
                found = measure(*stack.enter_context(prompting()), args.count, args.minutes)
        except (OSError, URLError) as error:
            parser.exit(2, f"benchmarks.soak: {error}\n")
    # Only what comes after the warm-up counts.
    growth = found[-1][1] - found[0][1]
    print(table(args.what, found))
    print(f"\nGrowth after the first {found[0][0]:,}: {growth:.0f} MB.")
    return 1 if growth > args.allowed else 0


if __name__ == "__main__":
    sys.exit(main())
