"""What runs of `brushwork paint --engine ray` are tried with: many small photos, and workers to be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from brushwork.base.shipped import demo_photos


def make_photos(folder: Path, count: int) -> None:
    """Cuts of the photos that ship, `count` files of 64 to 96 pixels a side, no two alike."""
    folder.mkdir(parents=True)
    shipped = []
    for path in demo_photos():
        with Image.open(path) as file:
            shipped.append(file.convert("RGB").resize((256, 256)))
    for i in range(count):
        left, upper, side = i * 7 % 150, i * 13 % 150, 64 + i % 33
        cut = shipped[i % len(shipped)].crop((left, upper, left + side, upper + 96))
        cut.save(folder / f"{i:04}.png")


def workers_below(process: int) -> list[int]:
    """The processes that Ray has made workers of, among all that `process` started (Linux)."""
    return [pid for pid, words in _below(process) if b"_RayWorker" in words]


def _below(process: int) -> Iterator[tuple[int, bytes]]:
    parents: dict[int, tuple[int, bytes]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name in brackets may hold anything.
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            parents[int(folder.name)] = int(parent), (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
    for pid, (_, words) in parents.items():
        above = pid
        while above in parents:
            above = parents[above][0]
            if above == process:
                yield pid, words
                break
