"""Where the files of a training are in ComfyUI's folders: under the first name that is free, or its own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ...base.excerpt import value_excerpt
from ...base.files import safe_file_name
from ...base.settings import check_type
from ...base.tensor_header import SAFETENSORS
from ...training.runs.files import RECIPE_FILE, RunFiles
from ...training.runs.owner import OwnedError, owned
from ...training.runs.recipe import has_recipe, write_recipe
from ..bridge import api

RUNS_FOLDER = "brushwork_training"


@dataclass(frozen=True)
class RunPlace:
    """The files of a run, and whether there is a state to go on from."""

    name: str
    files: RunFiles
    started: bool


def find_place(save_name: str, wanted: dict[str, Any], resume: bool) -> RunPlace:
    """The first of NAME, NAME_2, NAME_3, … that is free, or, with `resume`, holds the run of this recipe.

    So no files are overwritten, and changed pictures or options begin a new run.
    Raises ValueError for a name that cannot be used.
    """
    stem = file_stem(save_name)
    number, name = 1, stem
    while True:
        files = run_files(name)
        if not any(path.exists() for path in (files.folder, files.best, files.last, files.style)):
            return RunPlace(name, files, started=False)
        if resume and has_recipe(files.folder, wanted):
            return RunPlace(name, files, _can_go_on(files, wanted["options"]["mode"]))
        number += 1
        name = f"{stem}_{number}"


def take_place(save_name: str, wanted: dict[str, Any], resume: bool, owner: ExitStack) -> RunPlace:
    """The place as `find_place` says, owned until `owner` is closed, and marked with the recipe.

    Raises OwnedError, one sentence, if the run of this recipe is being trained already.
    """
    while True:
        place = find_place(save_name, wanted, resume)
        folder = place.files.folder
        known = has_recipe(folder, wanted)
        try:
            owner.enter_context(owned(folder))
        except OwnedError:
            if known:
                raise
            continue  # Another run took the free name a moment ago.
        if not known and (folder / RECIPE_FILE).exists():
            owner.close()
            continue
        # From here on the files belong to this run: the recipe tells the next queueing so.
        write_recipe(folder, wanted)
        return place


def _can_go_on(files: RunFiles, mode: str) -> bool:
    """Whether there is a state, and the best network or style that belongs to it: users delete files."""
    needed = [files.state]
    needed += [] if mode == "style_code" else [files.best]
    needed += [] if mode == "from_scratch" else [files.style]
    return all(path.exists() for path in needed)


def file_stem(save_name: str) -> str:
    """`save_name` as a file name without an ending. Raises ValueError if nothing of it is left."""
    check_type("save_name", save_name, str)
    name = save_name.strip().removesuffix(SAFETENSORS)
    if not name.strip("./\\ "):
        raise ValueError(f"save_name is {value_excerpt(save_name)}; give a name, for instance 'my style'.")
    return safe_file_name(name)


def run_files(name: str) -> RunFiles:
    """State, log and previews below ComfyUI's output folder; networks and style in its model folders."""
    models, styles = api.model_folder(api.MODEL_FOLDER), api.model_folder(api.STYLE_FOLDER)
    return RunFiles(
        api.output_folder() / RUNS_FOLDER / name,
        models / f"{name}{SAFETENSORS}",
        models / f"{name}_last{SAFETENSORS}",
        styles / f"{name}{SAFETENSORS}",
    )
