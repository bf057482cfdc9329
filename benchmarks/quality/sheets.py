"""Pictures for people to look at: contact sheets in pages, and folders of results for blind comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers import System
from benchmarks.quality.gallery import Gallery
from benchmarks.quality.pairs import Pair
from brushwork.base.files import write_atomically
from brushwork.evaluation.judging.results import short_stem
from brushwork.pictures.comparison_sheet import Column, ComparisonSheet
from brushwork.pictures.tensors import as_picture


def save_sheet(
    gallery: Gallery, systems: Sequence[System], pairs: Sequence[Pair], file: Path, page_rows: int, cell: int
) -> list[Path]:
    """Photo, painting and every system's picture of each pair, a row each; returns the files.

    More rows than `page_rows` go onto pages: sheet.jpg becomes sheet-01.jpg, sheet-02.jpg …
    """
    pages = [pairs[start : start + page_rows] for start in range(0, len(pairs), page_rows)]
    files = []
    for number, page in enumerate(pages, 1):
        titles = ["photo", "painting", *(system.name for system in systems)]
        sheet = ComparisonSheet([Column(title, cell) for title in titles])
        for pair in page:
            pictures = [gallery.load(path) for path in pair]
            pictures += [gallery.picture(system, pair, keep=True) for system in systems]
            captions = [pair.content.stem, pair.style.stem] + [""] * len(systems)
            sheet.add_row([as_picture(picture) for picture in pictures], captions=captions)
        files.append(file if len(pages) == 1 else file.with_name(f"{file.stem}-{number:02d}{file.suffix}"))
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        sheet.draw().save(files[-1], quality=90)
    return files


def save_pictures(
    gallery: Gallery, systems: Sequence[System], pairs: Sequence[Pair], folder: Path
) -> list[Path]:
    """Write every system's pictures as `folder`/SYSTEM/PHOTO__PAINTING.png; returns the systems' folders.

    By these names `brushwork judge sheet` finds photo and painting.
    """
    folders = [folder / re.sub(r"[^\w.-]+", "-", system.name) for system in systems]
    for pair in pairs:
        for system, own in zip(systems, folders, strict=True):
            gallery.picture(system, pair, keep=True)
            name = f"{short_stem(pair.content)}__{short_stem(pair.style)}.png"
            write_atomically(own / name, gallery.picture_file(system, pair).read_bytes())
    return folders
