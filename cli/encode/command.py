"""`brushwork encode`: pictures -> style files, one by one, mixed into one, or a library from a catalogue."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CommandError
from ..results import check_folder
from .catalogue import TEXTS, read_catalogue

if TYPE_CHECKING:
    from torch import Tensor

    from ...models.style_gan import StyleGAN

SUFFIX = ".safetensors"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "encode",
        description=(
            "Read the style of pictures and save each as a file of a few kB for Load Style. Put the files "
            "into ComfyUI's models/brushwork_styles."
        ),
    )
    # Some pictures, each with its own style or one for all.
    parser.add_argument(
        "pictures", nargs="*", type=Path, metavar="PICTURE", help="a picture, or a folder of them"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the style files go")
    parser.add_argument("--mix", action="store_true", help="one style from all pictures, their average")
    parser.add_argument("--name", help="what to call the style (default: the picture's name)")
    for text in TEXTS:
        parser.add_argument(f"--{text}", default="", metavar="TEXT", help=f"{text}, kept in the file")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files instead of numbering new ones"
    )
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="the network (default: the shipped one)"
    )
    # Or the pictures of a catalogue.
    parser.add_argument(
        "--catalogue",
        type=Path,
        metavar="FILE",
        help="make a library: a .csv or .json with file, name, artist, year, licence, origin, id; "
        "files of the same id are replaced",
    )
    parser.add_argument(
        "--pictures-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="where the catalogue's pictures are (default: beside it; may be given more than once)",
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Encode what `args` ask for; print each file that was written."""
    # PyTorch takes seconds to import, and `brushwork encode --help` should not.
    from ...models.checkpoint import CheckpointError

    check_folder(args.out, "--out")
    try:
        return _encode_catalogue(args) if args.catalogue else _encode_pictures(args)
    except CheckpointError as error:
        raise CommandError(str(error)) from error


def _encode_catalogue(args: argparse.Namespace) -> int:
    given = ["PICTURE"] if args.pictures else []
    given += [f"--{option}" for option in ("mix", "name", *TEXTS) if getattr(args, option)]
    if given:
        raise CommandError(f"{given[0]} does not go with --catalogue, which says it for each picture.")
    entries = read_catalogue(args.catalogue, args.pictures_dir)
    gan = _load(args.checkpoint)
    for entry in entries:
        _write(args.out / f"{entry.id}{SUFFIX}", gan, [entry.picture], entry.name, entry.texts)
    written = {f"{entry.id}{SUFFIX}" for entry in entries}
    for path in sorted(args.out.glob(f"*{SUFFIX}")):
        if path.name not in written:
            print(f"{path} is not in the catalogue and was left as it is.", file=sys.stderr)
    return 0


def _encode_pictures(args: argparse.Namespace) -> int:
    from ...base.files import free_path, numbered_path, safe_file_name

    pictures = _find_pictures(args.pictures)
    if args.mix and not args.name:
        raise CommandError("--mix makes one style of several pictures; say with --name what to call it.")
    if args.name and len(pictures) > 1 and not args.mix:
        raise CommandError(
            f"--name {args.name} names one style, and there are {len(pictures)} pictures; add --mix or leave "
            "it out."
        )
    gan = _load(args.checkpoint)
    place = numbered_path if args.overwrite else free_path
    texts = {text: getattr(args, text) for text in TEXTS}
    for group in [pictures] if args.mix else [[picture] for picture in pictures]:
        name = args.name or group[0].stem
        _write(place(args.out, safe_file_name(name), SUFFIX), gan, group, name, texts)
    return 0


def _find_pictures(paths: Sequence[Path]) -> list[Path]:
    from ...pictures.reading import picture_files

    pictures = []
    for path in paths:
        if not path.exists():
            raise CommandError(f"There is no picture {path}.")
        pictures += picture_files(path) if path.is_dir() else [path]
    if not pictures:
        raise CommandError("There is no picture to encode; name some, a folder of them, or a --catalogue.")
    return pictures


def _load(checkpoint: Path | None) -> StyleGAN:
    from ...models.style_gan import StyleGAN

    return StyleGAN.load(checkpoint) if checkpoint else StyleGAN.default()


def _write(path: Path, gan: StyleGAN, pictures: Sequence[Path], name: str, texts: dict[str, str]) -> None:
    from ...models.style_file import StyleFile, write_style
    from ...models.thumbnail import paint_thumbnail

    code = encode_pictures(gan, pictures)
    write_style(path, StyleFile.made_by(gan, code, name, thumbnail=paint_thumbnail(gan, code), **texts))
    print(f"{path} ({path.stat().st_size:,} bytes)")


def encode_pictures(gan: StyleGAN, pictures: Sequence[Path]) -> Tensor:
    """The style code [1,L,D] of the `pictures`, or the average of several, as EncodeStyle reads them.

    Raises CommandError for a file that is not a picture.
    """
    import torch

    from ...pictures.reading import read_picture
    from ...pictures.tensors import as_tensor

    codes = []
    for path in pictures:
        try:
            image = as_tensor(read_picture(path))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} is not a picture that can be read; choose a whole one.") from error
        with torch.inference_mode():
            codes.append(gan.encode_style(image))
    return torch.cat(codes).mean(0, keepdim=True)
