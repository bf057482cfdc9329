"""Colours and names of the results that are judged in the tests."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

RED, BLUE, GRAY, GOLD = (200, 30, 30), (30, 30, 200), (120, 120, 120), (220, 180, 40)
NAMES = [f"{n:03d}__lake{n}__wave" for n in range(1, 8)]


def paint(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
