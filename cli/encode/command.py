"""`brushwork encode`: pictures -> style files, one by one, mixed into one, or a library from a catalogue."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.files import distinct_names, safe_file_name
from ...base.folders import is_hidden_name
from ...base.system_errors import write_sentence
from ...base.tensor_header import SAFETENSORS
from ...base.text_files import one_line
from ..errors import CommandError, of_option
from ..pictures import check_named, pictures_of
from ..pixel_limit import add_pixel_limit
from ..results import check_folder
from ..terminal import complain, tell
from .catalogue import TEXTS, read_catalogue
from .request import EncodeRequest

if TYPE_CHECKING:
    from torch import Tensor

    from ...models.style_gan import StyleGAN


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
        "pictures", nargs="*", metavar="PICTURE", help="a picture, a folder of them, or a pattern"
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
    add_pixel_limit(parser)
    parser.set_defaults(func=run)


def request_from(args: argparse.Namespace) -> EncodeRequest:
    """What was asked for, typed."""
    names = {each.name for each in fields(EncodeRequest)}
    values = {name: given for name, given in vars(args).items() if name in names} | {
        "pictures": tuple(args.pictures),
        "pictures_dirs": tuple(args.pictures_dir),
        "texts": {text: vars(args)[text] for text in TEXTS},
    }
    return EncodeRequest(**values)


def run(args: argparse.Namespace) -> int:
    """Encode what `args` ask for; print each file that was written. 0 if all are, 1 if some are not.

    Raises CommandError, one sentence, when it cannot start or nothing could be written.
    """
    return encode(request_from(args))


def encode(request: EncodeRequest) -> int:
    """Encode all pictures; see `run`."""
    # PyTorch takes seconds to import, and `brushwork encode --help` should not.
    from ...models.checkpoint import CheckpointError

    check_folder(request.out, "--out")
    try:
        if request.catalogue is None:
            return _encode_pictures(request)
        return _encode_catalogue(request, request.catalogue)
    except CheckpointError as error:
        raise CommandError(str(error)) from error


def _encode_catalogue(request: EncodeRequest, catalogue: Path) -> int:
    given = ["PICTURE"] if request.pictures else []
    others = {"mix": request.mix, "name": request.name, **request.texts}
    given += [f"--{option}" for option, value in others.items() if value]
    if given:
        raise CommandError(f"{given[0]} does not go with --catalogue, which says it for each picture.")
    with of_option("--catalogue", CommandError):
        entries = read_catalogue(catalogue, request.pictures_dirs)
    gan = _load(request.checkpoint)
    tasks = [
        _Task(request.out / f"{entry.id}{SAFETENSORS}", [entry.picture], entry.name, entry.texts)
        for entry in entries
    ]
    code = _write_all(tasks, gan)
    known = {f"{entry.id}{SAFETENSORS}" for entry in entries}
    for path in sorted(request.out.glob(f"*{SAFETENSORS}")):
        if path.name not in known and not is_hidden_name(path.name):
            complain(f"{path} is not in the catalogue and was left as it is.")
    return code


def _encode_pictures(request: EncodeRequest) -> int:
    pictures = _pictures_to_encode(request.pictures)
    if request.mix and not request.name:
        raise CommandError("--mix makes one style of several pictures; say with --name what to call it.")
    if request.name and len(pictures) > 1 and not request.mix:
        raise CommandError(
            f"--name {request.name} names one style, and there are {len(pictures)} pictures; add --mix or "
            "leave it out."
        )
    gan = _load(request.checkpoint)
    singles = dict.fromkeys(pictures) if request.overwrite else pictures
    groups = [pictures] if request.mix else [[picture] for picture in singles]
    names = [request.name or group[0].stem for group in groups]
    # Pictures of one name in several folders are several styles, also where files are replaced.
    stems = distinct_names(names, groups) if request.overwrite else [safe_file_name(name) for name in names]
    tasks = [
        _Task(request.out / f"{stem}{SAFETENSORS}", group, one_line(name), request.texts)
        for stem, group, name in zip(stems, groups, names, strict=True)
    ]
    return _write_all(tasks, gan, numbered=not request.overwrite)


def _pictures_to_encode(texts: Sequence[str]) -> list[Path]:
    """As often as they are named: a mix may hold one twice. A folder may be empty if another is not."""
    pictures: list[Path] = []
    for text in texts:
        check_named(text, "PICTURE")
        found = pictures_of(text)
        if not found and not os.path.isdir(text):
            raise CommandError(f"The pattern {text} finds no picture; give another PICTURE.")
        pictures += found
    if not pictures:
        raise CommandError("There is no picture to encode; name some, a folder of them, or a --catalogue.")
    return pictures


def _load(checkpoint: Path | None) -> StyleGAN:
    from ...models.style_gan import StyleGAN

    with of_option("--checkpoint" if checkpoint else None):
        return StyleGAN.load(checkpoint) if checkpoint else StyleGAN.default()


@dataclass(frozen=True)
class _Task:
    """A style to write; several pictures become their average."""

    path: Path
    pictures: Sequence[Path]
    name: str
    texts: Mapping[str, str]


def _write_all(tasks: Sequence[_Task], gan: StyleGAN, numbered: bool = False) -> int:
    """Write a style for each task, `numbered` where its file exists; returns the exit code.

    A picture that cannot be read is reported, and so is a text that a file cannot hold; the rest goes on.
    Raises CommandError if nothing could be written.
    """
    from ...models.checkpoint import CheckpointError
    from ...models.style_file import StyleFile, write_new_style, write_style
    from ...models.thumbnail import paint_thumbnail

    problems: list[str] = []
    written = 0
    for task in tasks:
        # Read and encode the pictures of this style, and paint its thumbnail.
        code = _encode_readable(gan, task.pictures, problems)
        if code is None:
            continue
        style = StyleFile.made_by(gan, code, task.name, thumbnail=paint_thumbnail(gan, code), **task.texts)
        # Write the file, and say where it is.
        try:
            if numbered:
                path = write_new_style(task.path.parent, task.path.stem, style)
            else:
                path = task.path
                write_style(path, style)
        except CheckpointError as error:
            problems.append(str(error))
            continue
        except OSError as error:
            raise CommandError(write_sentence(task.path, error)) from error
        written += 1
        tell(f"{path} ({path.stat().st_size:,} bytes)")
    # Say what could not be read; if that was everything, the last one is the command's error.
    for problem in problems if written else problems[:-1]:
        complain(f"brushwork encode: {problem}")
    if not written:
        raise CommandError(problems[-1])
    return 1 if problems else 0


def _encode_readable(gan: StyleGAN, pictures: Sequence[Path], problems: list[str]) -> Tensor | None:
    """The average style [1,L,D] of the pictures that can be read; a sentence on each of the others."""
    import torch

    codes = []
    for path in pictures:
        try:
            codes.append(encode_pictures(gan, [path]))
        except CommandError as error:
            problems.append(str(error))
    return torch.cat(codes).mean(0, keepdim=True) if codes else None


def encode_pictures(gan: StyleGAN, pictures: Sequence[Path]) -> Tensor:
    """The style code [1,L,D] of the `pictures`, or the average of several, as EncodeStyle reads them.

    Raises CommandError, one sentence, for a file that is not a picture or too large.
    """
    import torch

    from ...models.memory import out_of_memory_as
    from ...pictures.reading import PictureError, read_picture
    from ...pictures.tensors import as_tensor

    codes = []
    for path in pictures:
        try:
            image = as_tensor(read_picture(path))
        except PictureError as error:
            raise CommandError(str(error)) from error
        too_large = f"{path} does not fit into memory; scale it down, or close other programs."
        with torch.inference_mode(), out_of_memory_as(CommandError, too_large):
            codes.append(gan.encode_style(image))
    return torch.cat(codes).mean(0, keepdim=True)
