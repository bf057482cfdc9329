"""The styles to choose from: the library that ships, and the files in models/brushwork_styles."""

from __future__ import annotations

import os
from pathlib import Path

from ...base.excerpt import excerpt
from ...base.files import numbered_path, safe_file_name
from ...base.settings import check_type
from ...base.shipped import LIBRARY_PREFIX, library_styles
from ...base.system_errors import system_sentence
from ...base.tensor_header import SAFETENSORS
from ...models.checkpoint import CheckpointError
from ...models.style_file import StyleFile, read_style, write_new_style, write_style
from ..bridge import api
from .sockets import Style

api.register_model_folder(api.STYLE_FOLDER)

DEFAULT_STYLE = f"{LIBRARY_PREFIX}van-gogh-starry-night"


def style_names() -> list[str]:
    """The library first, then the files in models/brushwork_styles; the same on every system."""
    return [*library_styles(), *(_portable(name) for name in api.model_folder_files(api.STYLE_FOLDER))]


def find_style(name: str) -> Path:
    """The file that `name` stands for. Raises CheckpointError if there is none; ValueError for no text."""
    # Prompts of programs may hold anything.
    check_type("style_name", name, str)
    if name.endswith(SAFETENSORS):
        path = api.model_folder_path(name, api.STYLE_FOLDER)
    else:
        path = library_styles().get(name)
    if path is None:
        raise CheckpointError(
            f"There is no style '{excerpt(name)}'; put the file into ComfyUI's folder "
            f"models/{api.STYLE_FOLDER} or choose another one."
        )
    return path


def load_style(name: str) -> Style:
    """The style that `name` stands for. Raises CheckpointError if there is none or it cannot be read."""
    return Style.of_file(read_style(find_style(name)))


def default_style() -> str | None:
    """What is chosen first; None where the library is missing."""
    return DEFAULT_STYLE if DEFAULT_STYLE in style_names() else None


def save_style(style: StyleFile, name: str, number: int = 1, overwrite: bool = False) -> Path:
    """Write `style` under the `name` that the user gave, which may begin with folders ('mine/waves').

    Without `overwrite` the file is the first of name, name_2, name_3 … from `number` on that does not exist,
    and no other process takes it meanwhile. With `overwrite` it is name for `number` 1, otherwise
    name_`number`. Characters that a system forbids become underscores.
    Raises ValueError, one sentence, for a name that is empty or leaves the folder, and for a disk that does
    not take the file; CheckpointError as `write_style`.
    """
    *folders, stem = _safe_parts(name)
    folder = api.model_folder(api.STYLE_FOLDER).joinpath(*folders)
    try:
        if not overwrite:
            return write_new_style(folder, stem, style, number)
        path = numbered_path(folder, stem, SAFETENSORS, number)
        write_style(path, style)
    except OSError as error:
        raise ValueError(f"The style was not saved: {system_sentence(error)}") from error
    return path


def style_name(path: Path) -> str:
    """LoadStyle's name for the file `path` in the folder where styles are written."""
    return path.relative_to(api.model_folder(api.STYLE_FOLDER)).as_posix()


def style_title(name: str) -> str:
    """The last part of what the user called a style, as it was typed. Raises ValueError for no text."""
    check_type("style_name", name, str)
    return name.strip().removesuffix(SAFETENSORS).replace("\\", "/").split("/")[-1].strip()


def _safe_parts(name: str) -> list[str]:
    parts = name.strip().removesuffix(SAFETENSORS).replace("\\", "/").split("/")
    if name.strip().startswith(("/", "\\")) or any(part.strip() in ("", ".", "..") for part in parts):
        raise ValueError(
            f"style_name is '{excerpt(name)}'; give a name, or folders and a name such as 'mine/waves'."
        )
    return [safe_file_name(part) for part in parts]


def _portable(name: str) -> str:
    return name.replace(os.sep, "/")
