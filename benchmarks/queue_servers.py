"""`brushwork queue` on two ComfyUI servers on this machine, while one of them is killed with -9.

    COMFYUI_PATH=… COMFYUI_PYTHON=… python -m benchmarks.queue_servers --jobs 200

Photos of 128 pixels and the shipped paintings at their own size. Prints a Markdown table. Linux only, since
it reads the client's memory in /proc. The servers are those of the tests (tests/comfyui_server.py).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from brushwork.base.shipped import SHIPPED_INPUTS
from brushwork.cli import main as cli
from tests.comfyui_server import COMFYUI, ComfyUIServer

STYLES = 10
SIDE = 128


@dataclass(frozen=True)
class ServersRequest:
    """What was asked for: how many jobs, and a file for the sheet of the first results."""

    jobs: int
    sheet: Path | None


@dataclass
class QueueOutcome:
    """The results in the folder against those that should be there, and the client's time and memory."""

    wanted: int
    outputs: list[str] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    memory: list[tuple[int, float]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return self.wanted - len(set(self.outputs))

    @property
    def twice(self) -> int:
        """Jobs that are done more than once in the manifest."""
        return sum(count > 1 for count in Counter(line["job"] for line in self.lines).values())

    def memory_at(self, share: float) -> float:
        """MB of the client once this share of the results was there."""
        return next(megabytes for count, megabytes in self.memory if count >= share * self.wanted)

    def painted_by(self, url: str, since: str = "") -> int:
        return sum(line["server"] == url and line["finished"] >= since for line in self.lines)


def make_pictures(folder: Path, jobs: int) -> tuple[Path, Path]:
    """`jobs` / 10 photos of 128 x 128, cut from the shipped ones, and 10 paintings: two folders."""
    photos, paintings = folder / "photos", folder / "paintings"
    for made in (photos, paintings):
        made.mkdir(parents=True)
    sources = sorted(SHIPPED_INPUTS.glob("photo-*.jpg"))
    for i in range(jobs // STYLES):
        with Image.open(sources[i % len(sources)]) as file:
            offset = 40 * (i // len(sources))
            file.crop((offset, offset, offset + 256, offset + 256)).resize((SIDE, SIDE)).save(
                photos / f"{i:03}.png"
            )
    art = sorted(SHIPPED_INPUTS.glob("art-*.jpg"))
    for i in range(STYLES):
        with Image.open(art[i % len(art)]) as file:
            turned = file if i < len(art) else ImageOps.mirror(file)
            turned.save(paintings / f"{i:02}.png")
    return photos, paintings


def run_client(
    arguments: list[str], out: Path, outcome: QueueOutcome, servers: list[ComfyUIServer]
) -> dict[str, Any]:
    """Run the command, kill the first server when a quarter is done, start it again at once."""
    started = time.monotonic()
    facts: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-m", cli.__name__, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as client:
        while client.poll() is None:
            count = sum(path.name[0] != "." for path in out.glob("*.png"))
            outcome.memory.append((count, resident_megabytes(client.pid)))
            if "killed" not in facts and count >= outcome.wanted // 4:
                facts |= {"killed": count, "killed_at": utc_now()}
                servers[0].kill()
                servers[0].start()
            time.sleep(0.2)
        assert client.stderr is not None  # it is a pipe
        facts["said"] = client.stderr.read().decode().strip().splitlines()[-1]
    return facts | {"status": client.returncode, "seconds": time.monotonic() - started}


def resident_megabytes(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass  # it has just ended
    return 0.0


def utc_now() -> str:
    """As the manifest writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


def table(outcome: QueueOutcome, facts: dict[str, Any], servers: list[ComfyUIServer]) -> str:
    """The outcome as a Markdown table."""
    # What the manifest does not say: pictures on the servers, and those after the restart.
    files = sum(1 for server in servers for _ in (server.base / "output").rglob("*.png"))
    after = outcome.painted_by(servers[0].url, facts["killed_at"])
    rows = [
        ("jobs", outcome.wanted),
        ("results", len(outcome.outputs)),
        ("missing", outcome.missing),
        ("done twice", outcome.twice),
        ("first server killed after", f"{facts['killed']} results"),
        ("painted by the first server", outcome.painted_by(servers[0].url)),
        ("of them after its restart", after),
        ("painted by the second server", outcome.painted_by(servers[1].url)),
        ("pictures on the servers' disks", files),
        ("seconds", f"{facts['seconds']:.0f}"),
        *(
            (f"memory of the client at {share:.0%}", f"{outcome.memory_at(share):.0f} MB")
            for share in (0.1, 0.25, 0.5, 0.75, 0.95)
        ),
        ("exit status", facts["status"]),
    ]
    # The rows as Markdown.
    return "\n".join(
        ["| what | value |", "| --- | ---: |", *(f"| {name} | {value} |" for name, value in rows)]
    )


def paint_jobs(folder: Path, jobs: int) -> tuple[QueueOutcome, dict[str, Any], str]:
    """Run `jobs` on two servers in `folder`: the outcome, the client's facts, and the table of both."""
    photos, paintings = make_pictures(folder, jobs)
    out, outcome = folder / "out", QueueOutcome(jobs)
    servers = [ComfyUIServer(folder / f"server{i}") for i in range(2)]
    command = ["queue", "stylize_photo", "--content", str(photos), "--style", str(paintings)]
    command += ["--out", str(out), *(f"--server={server.url}" for server in servers)]
    with ExitStack() as running:
        for server in servers:
            server.start()
            running.callback(server.stop)
        for server in servers:
            server.wait_until_up()
        facts = run_client(command, out, outcome, servers)

    outcome.outputs = sorted(path.name for path in out.glob("*.png"))
    text = (out / "manifest.jsonl").read_text(encoding="utf-8")
    outcome.lines = [line for line in map(json.loads, text.splitlines()) if line["status"] == "done"]
    return outcome, facts, table(outcome, facts, servers)


def parse(arguments: list[str] | None) -> ServersRequest:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.queue_servers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--jobs", type=int, default=200, metavar="COUNT", help="a multiple of 10 (default 200)"
    )
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write the first 40 results here, side by side"
    )
    request = ServersRequest(**vars(parser.parse_args(arguments)))
    if request.jobs < STYLES or request.jobs % STYLES:
        parser.error(f"--jobs is {request.jobs}; give a multiple of {STYLES}.")
    if not COMFYUI:
        parser.error("COMFYUI_PATH is not set; set it to the path of a ComfyUI checkout.")
    return request


def main(arguments: list[str] | None = None) -> int:
    request = parse(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        outcome, facts, text = paint_jobs(Path(scratch), request.jobs)
        print(text)
        print(facts["said"], file=sys.stderr)
        if request.sheet:
            first = outcome.outputs[: 4 * STYLES]
            sheet([Path(scratch, "out", name) for name in first]).save(request.sheet)
    return 0 if outcome.missing == outcome.twice == 0 else 1


def sheet(paths: list[Path]) -> Image.Image:
    """The pictures in rows of 10."""
    canvas = Image.new("RGB", (SIDE * STYLES, SIDE * -(-len(paths) // STYLES)))
    for i, path in enumerate(paths):
        with Image.open(path) as picture:
            canvas.paste(picture, (SIDE * (i % STYLES), SIDE * (i // STYLES)))
    return canvas


if __name__ == "__main__":
    sys.exit(main())
