"""Does a folder of photos take longer than painting them, with reading and writing beside it?

    python -m benchmarks.folder
    python -m benchmarks.folder --content DIR --pictures 1000

Photos of one megapixel are cut from those of a folder, another place for each, and saved as JPEG. Parts of
the folder go from file to file as `brushwork paint` does it, and after each part some of its photos are
painted in memory, so that a busy minute of the machine counts for both. Prints both times a photo and their
ratio, by medians over the parts; the exit code is 1 if it misses the bar.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from brushwork.base.allocator import keep_memory
from brushwork.base.shipped import demo_photos, library_styles
from brushwork.painting.folders import paint_files
from brushwork.painting.jobs import PaintResult, make_jobs
from brushwork.painting.styles import SavedStyle, StyleSource
from brushwork.painting.stylizer import Stylizer
from brushwork.pictures.folders import picture_files
from brushwork.pictures.reading import PictureError, opened_picture
from brushwork.pictures.tensors import load_picture

SIZE = (1152, 896)
STYLE = "library/hokusai-great-wave"

BAR = 1.1
"""A folder may take so many times the sum of the painting times on a CPU."""


@dataclass(frozen=True)
class Part:
    """Seconds a photo in one part of the folder: from file to file, and in the network alone."""

    from_file_to_file: float
    painted: float

    @property
    def ratio(self) -> float:
        return self.from_file_to_file / self.painted


def cut_photo(source: Path, number: int, path: Path) -> None:
    """Save a photo of SIZE pixels, cut from `source` at a place and scale that `number` decides.

    Raises PictureError for a `source` that cannot be read.
    """
    chance = random.Random(number)
    with opened_picture(source) as opened:
        opened.draft("RGB", SIZE)
        image = opened.convert("RGB")
        scale = chance.uniform(0.8, 1.0) * min(image.width / SIZE[0], image.height / SIZE[1])
        width, height = SIZE[0] * scale, SIZE[1] * scale
        left, top = chance.uniform(0, image.width - width), chance.uniform(0, image.height - height)
        box = (left, top, left + width, top + height)
        photo = image.resize(SIZE, Image.Resampling.BICUBIC, box=box)
    photo.save(path, quality=92)


def measure(
    sources: Sequence[Path],
    pictures: int,
    part: int,
    alone: int,
    style: StyleSource,
    stylizer: Stylizer,
    ending: str = ".png",
) -> list[Part]:
    """Paint the folder in parts, and after each `alone` photos of it in memory. Raises RuntimeError if a
    photo was not painted, PictureError for a source that cannot be read."""
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        stylizer.paint(torch.rand(1, 3, SIZE[1], SIZE[0]), style)
        for first in range(0, pictures, part):
            photos = [root / f"{number:06d}.jpg" for number in range(first, min(first + part, pictures))]
            for number, photo in enumerate(photos, first):
                cut_photo(sources[number % len(sources)], number, photo)
            began = time.perf_counter()
            for outcome in paint_files(make_jobs(photos, [style], root / "painted", ending), stylizer):
                if outcome.result is not PaintResult.PAINTED:
                    raise RuntimeError(f"{outcome.job.photo.name} was not painted: {outcome.sentence}")
            both = (time.perf_counter() - began) / len(photos)
            chosen = photos[:: max(1, len(photos) // alone)][:alone]
            seconds = [painting_seconds(photo, style, stylizer) for photo in chosen]
            parts.append(Part(both, statistics.mean(seconds)))
            print(
                f"{first + len(photos)}: {both:.3f} s, painting alone {parts[-1].painted:.3f} s", flush=True
            )
            for photo in photos:
                photo.unlink()
    return parts


def painting_seconds(photo: Path, style: StyleSource, stylizer: Stylizer) -> float:
    """Seconds for a photo that is in memory already."""
    pixels = load_picture(photo, min(SIZE))
    began = time.perf_counter()
    stylizer.paint(pixels, style)
    return time.perf_counter() - began


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.folder", description="A folder of photos, beside painting alone."
    )
    parser.add_argument("--content", metavar="DIR", help="photos to cut from (default: those that ship)")
    for name, default, what in (
        ("--pictures", 1000, "photos in the folder"),
        ("--part", 50, "photos between two looks at painting alone"),
        ("--alone", 10, "photos of each part that are painted alone"),
    ):
        parser.add_argument(
            name, type=int, default=default, metavar="COUNT", help=f"{what} (default {default})"
        )
    parser.add_argument(
        "--ending", choices=(".png", ".jpg", ".webp"), default=".png", help="of the paintings (default .png)"
    )
    options = parser.parse_args(arguments)
    for name in ("pictures", "part", "alone"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} is {getattr(options, name)}; give 1 or more.")
    try:
        sources = picture_files(Path(options.content)) if options.content else demo_photos()
    except ValueError as error:
        parser.error(f"--content: {error}")
    if not sources:
        parser.error(f"--content: there is no picture in {options.content}; give a folder of photos.")
    # Measure as the command does, and print the table and the bar.
    keep_memory()
    style, stylizer = SavedStyle(library_styles()[STYLE]), Stylizer.load()
    try:
        parts = measure(
            sources, options.pictures, options.part, options.alone, style, stylizer, options.ending
        )
    except PictureError as error:
        parser.error(f"--content: {error}")
    ratio = statistics.median(part.ratio for part in parts)
    print("\n| photos | from file to file, s | painting alone, s | ratio | of the parts |")
    print("| ---: | ---: | ---: | ---: | --- |")
    together, alone = (
        statistics.median(getattr(part, name) for part in parts) for name in ("from_file_to_file", "painted")
    )
    lowest, highest = (end(part.ratio for part in parts) for end in (min, max))
    print(
        f"| {options.pictures} | {together:.3f} | {alone:.3f} | {ratio:.3f} | {lowest:.3f} to {highest:.3f} |"
    )
    print(f"\nBar {BAR}: {'met' if ratio <= BAR else 'MISSED'}.")
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
