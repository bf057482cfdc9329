"""Make what the style picker in ComfyUI's page shows of the style library.

    python -m scripts.style_thumbnails

Writes the thumbnail of each style in weights/styles to web/styles/ID.webp, and what is known about all of
them to web/styles/library.json. Run it again when the library changes.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from itertools import combinations
from pathlib import Path

from PIL import Image

from brushwork.base.files import slug, write_atomically
from brushwork.models.style_file import StyleFile, read_style

# The repository, since its files are written. The package may be installed elsewhere.
ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "weights" / "styles"
PICTURES = ROOT / "web" / "styles"
SIDE = 128
"""Pixels of a thumbnail's side: shown at 76 at most, larger where the canvas is zoomed in."""


def thumbnail(style: StyleFile) -> bytes:
    """The picture in the style's file, smaller, as WebP. Raises ValueError if it has none."""
    picture = style.picture()
    if picture is None:
        raise ValueError(f"The style '{style.name}' has no thumbnail.")
    small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=82, method=6)
    return buffer.getvalue()


def usual_name(artist: str, style_id: str) -> str:
    """The part of an artist's name with which the id of a style begins, or all of it.

    >>> usual_name("Vincent van Gogh", "van-gogh-irises")
    'Van Gogh'
    >>> usual_name("Pieter Bruegel the Elder", "bruegel-hunters-in-the-snow")
    'Bruegel'
    """
    words = artist.split()
    parts = (" ".join(words[first:last]) for first, last in combinations(range(len(words) + 1), 2))
    name = max((part for part in parts if style_id.startswith(f"{slug(part)}-")), key=len, default=artist)
    return name[0].upper() + name[1:]


def about_library() -> dict[str, dict[str, object]]:
    """Title, artist, year and the artist's usual name, by the styles' ids, with the Chinese names."""
    with (LIBRARY / "chinese.csv").open(encoding="utf-8", newline="") as file:
        chinese = {row["id"]: {"title": row["name"], "artist": row["artist"]} for row in csv.DictReader(file)}
    about: dict[str, dict[str, object]] = {}
    for path in sorted(LIBRARY.glob("*.safetensors")):
        style = read_style(path)
        about[path.stem] = {
            "title": style.name,
            "artist": style.artist,
            "year": style.year,
            "short": usual_name(style.artist, path.stem),
            "zh": chinese[path.stem],
        }
    return about


def main() -> None:
    argparse.ArgumentParser(
        "python -m scripts.style_thumbnails", description=__doc__.splitlines()[0]
    ).parse_args()
    PICTURES.mkdir(exist_ok=True)
    size = 0
    for path in sorted(LIBRARY.glob("*.safetensors")):
        data = thumbnail(read_style(path))
        write_atomically(PICTURES / f"{path.stem}.webp", data)
        size += len(data)
    about = about_library()
    text = json.dumps(about, ensure_ascii=False, indent=1) + "\n"
    write_atomically(PICTURES / "library.json", text.encode())
    print(f"wrote {PICTURES}, {len(about)} thumbnails, {size:,} bytes")


if __name__ == "__main__":
    main()
