"""One picture from file to file, not held in memory: pixels, feature maps and result lie on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..base.allocator import give_back_memory
from ..base.files import move_into_place
from ..base.temporary import temporary_folder
from ..models.large.maps import StorageError
from ..models.large.paint import LargePicture
from ..models.stroke_size import stroke_scale
from ..pictures.color import luminance_only
from ..pictures.films import is_film
from ..pictures.large_files import RawPicture, decode_large, encode_large, vips
from ..pictures.reading import opened_picture
from .strip_palette import StripPalette
from .styles import StyleSource
from .stylizer import Stylizer
from .tile_size import Plan, first_that_fits, make_plans, network_on

LARGE_PIXELS = 64_000_000
"""Pictures with more pixels are painted from file to file, if libvips is installed."""

# Feature maps of this many bytes stay in the main memory.
_MEMORY = 256 * 2**20

# Bytes on the disk for each pixel at most: the photo, the painting in float32, and feature maps.
_DISK_BYTES = 3 + 12 + 31


def is_large(photo: Path, stylizer: Stylizer) -> bool:
    """Whether `paint_large_file` is the way for this photo. Raises PictureError if it cannot be read."""
    if stylizer.options.refine is not None:
        return False
    with opened_picture(photo) as image:
        pixels = image.width * image.height
    # Looking for libvips loads it.
    return pixels > LARGE_PIXELS and vips() is not None


def any_large(paths: Iterable[Path], stylizer: Stylizer) -> bool:
    """Whether a photo of `paths` is painted from file to file: then memory that is kept would be its peak."""
    for photo in dict.fromkeys(path for path in paths if not is_film(path)):
        # What cannot be read is told when its turn comes.
        with suppress(ValueError, OSError):
            if is_large(photo, stylizer):
                return True
    return False


def paint_large_file(
    photo: Path,
    style: StyleSource,
    target: Path,
    stylizer: Stylizer,
    settings: Mapping[str, object],
    on_note: Callable[[str], None] | None = None,
) -> None:
    """Paint `photo` as `Stylizer.paint` would, and write `target` whole or not at all.

    Temporary files lie beside the target, about 40 bytes for each pixel. `on_note` gets sentences for the
    user. Strokes have the network's own size in pixels here. Raises ValueError if the options ask for
    another one, PictureError for a photo that cannot be read in this way, StorageError if the disk is too
    small, OSError if the target cannot be written.
    """
    options = stylizer.options
    if options.stroke_size != 1:
        raise ValueError(
            f"The stroke size is {options.stroke_size:g}, and {photo} is so large that it is painted from "
            "file to file, where strokes keep their size in pixels; give 1, or scale the picture down."
        )
    code = stylizer.code(style)
    with temporary_folder(target) as folder:
        with opened_picture(photo) as header:
            pixels = header.width * header.height
        _check_disk(folder, pixels)
        picture, metadata = decode_large(photo, folder / "photo")
        if on_note and stroke_scale(1.0, options.strokes, picture.size) != 1:
            on_note(f"{photo} is painted from file to file: its strokes keep their size in pixels.")
        plans = [plan for plan in make_plans(picture.size, stylizer.device, stylizer.tile) if plan.tile]
        painted = first_that_fits(
            plans, lambda plan: _paint(picture, code, folder / "painted", stylizer, plan), on_note
        )
        # libvips maps the painted pixels into memory, and they should not come on top of what painting took.
        give_back_memory()
        encode_large(painted, folder / f"result{target.suffix}", metadata, settings)
        move_into_place(folder / f"result{target.suffix}", target)


def _check_disk(folder: Path, pixels: int) -> None:
    needed, free = pixels * _DISK_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"Painting a picture of {pixels / 1e6:.0f} million pixels needs {needed / 1e9:.1f} GB for "
            f"temporary files in {folder.parent}, and {free / 1e9:.1f} GB are free; make room, or choose a "
            "result on another disk."
        )


def _paint(picture: RawPicture, code: Tensor, target: Path, stylizer: Stylizer, plan: Plan) -> RawPicture:
    """The painted pixels in the file `target`."""
    options, folder = stylizer.options, target.parent
    gan = network_on(stylizer.gan, plan.device)

    def pixels(start: int, stop: int) -> Tensor:
        levels = torch.from_numpy(picture.rows(start, stop)).permute(2, 0, 1)[None]
        return levels.float().div_(255)

    large = LargePicture(pixels, picture.size, plan.store(_MEMORY, folder))
    strips = large.paint(gan, code.to(plan.device), options.strength, options.seed)
    if options.preserve_color == "histogram" and options.strength > 0:
        strips = _in_photo_colors(strips, picture, pixels, folder / "levels")
    with target.open("wb") as file:
        for start, rows in strips:
            if options.preserve_color == "luminance":
                rows = luminance_only(pixels(start, start + rows.shape[2]).to(rows), rows)
            levels = rows[0].clamp(0, 1).mul(255).round().to("cpu", torch.uint8)
            file.write(np.ascontiguousarray(levels.permute(1, 2, 0).numpy()).data)
    return RawPicture(target, picture.size)


def _in_photo_colors(
    strips: Iterator[tuple[int, Tensor]],
    picture: RawPicture,
    pixels: Callable[[int, int], Tensor],
    values: Path,
) -> Iterator[tuple[int, Tensor]]:
    """The painted strips in the photo's colours, after all of them were written to `values`."""
    palette, parts = StripPalette(picture.size[0] * picture.size[1]), []
    with values.open("wb") as file:
        for start, rows in strips:
            parts.append((start, start + rows.shape[2]))
            painted = palette.look(rows.cpu(), pixels(*parts[-1]))
            file.write(painted.data)
    width = picture.size[1]
    for start, stop in parts:
        count = (stop - start) * width * 3
        found = np.fromfile(values, dtype=np.float32, count=count, offset=start * width * 12)
        yield start, palette.recolored(found.reshape(3, stop - start, width))
