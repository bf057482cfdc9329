"""Pack the pictures of a training into a small folder, for a machine that is lent and reached by a thin line.

    python -m scripts.pack_data DATA OUT

DATA holds content/, style/ and split.json. OUT gets the same, as WebP with a shorter side of 432 pixels at
most: all pictures that train, and a few that validate. Pictures that wait for the final test stay behind.
They lie in numbered folders, OUT/style/1, OUT/style/2 and so on, each small enough to be sent by itself.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from brushwork.base.files import write_atomically
from brushwork.pictures.reading import decoders, open_picture
from brushwork.pictures.tensors import resize_shorter

KINDS = ("content", "style")

Split = dict[str, dict[str, list[str]]]
"""{'content' or 'style': {'train', 'val' or 'test': [path below the data folder, …]}}"""


def packed(picture: Path, side: int, quality: int) -> bytes:
    """The picture as WebP, its shorter side reduced to `side` pixels; a smaller one keeps its size."""
    image = open_picture(picture)
    if min(image.size) > side:
        image = resize_shorter(image, side)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def chosen(split: Split, val: int) -> Split:
    """The paths to pack: all of 'train', and the first `val` of 'val' of each kind, evenly spread."""
    found: Split = {}
    for kind in KINDS:
        held_out = split[kind]["val"]
        spread = held_out[:: max(1, len(held_out) // val)][:val] if val else []
        found[kind] = {"train": split[kind]["train"], "val": spread}
    return found


def pack(data: Path, out: Path, side: int, quality: int, val: int, folder_bytes: int) -> list[Path]:
    """Write OUT; returns its folders of pictures. Raises OSError, ValueError or KeyError for bad input."""
    split = chosen(json.loads((data / "split.json").read_text(encoding="utf-8")), val)
    folders: list[Path] = []
    for kind, parts in split.items():
        names = [name for part in parts.values() for name in part]
        with ThreadPoolExecutor(decoders()) as pool:
            contents = pool.map(lambda name: packed(data / name, side, quality), names)
            places: dict[str, str] = {}
            number, filled = 1, 0
            for name, content in zip(names, contents, strict=True):
                if filled and filled + len(content) > folder_bytes:
                    number, filled = number + 1, 0
                filled += len(content)
                # The old ending stays: two pictures may differ in nothing else.
                places[name] = f"{kind}/{number}/{PurePosixPath(name).name}.webp"
                file = out / places[name]
                file.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(file, content)
        split[kind] = {part: [places[name] for name in names] for part, names in parts.items()}
        folders += [out / kind / str(n) for n in range(1, number + 1)]
    write_atomically(out / "split.json", json.dumps(split, indent=1).encode())
    return folders


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m scripts.pack_data", description="Pack the pictures of a training into a small folder."
    )
    # What is packed, and how small.
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of content/, style/ and split.json")
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write")
    parser.add_argument("--side", type=int, default=432, metavar="PX", help="(default %(default)s)")
    parser.add_argument("--quality", type=int, default=78, metavar="Q", help="of WebP (default %(default)s)")
    parser.add_argument(
        "--val",
        type=int,
        default=8,
        metavar="N",
        help="validation pictures of each kind (default %(default)s)",
    )
    parser.add_argument(
        "--folder", type=float, default=20.0, metavar="MIB", help="of pictures at most (default %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        folders = pack(
            options.data,
            options.out,
            options.side,
            options.quality,
            options.val,
            round(options.folder * 2**20),
        )
    except (OSError, ValueError, KeyError) as error:
        print(f"scripts.pack_data: {error}", file=sys.stderr)
        return 2
    # Say how large it has become.
    for folder in folders:
        files = list(folder.iterdir())
        size = sum(file.stat().st_size for file in files) / 2**20
        print(f"{folder}: {len(files)} pictures, {size:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
