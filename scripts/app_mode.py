"""The forms of the workflows in ComfyUI's App mode: what a person sets, and what then is shown.

`scripts.workflow_layout` writes them into the workflows. Frontends before 1.41 open these as plain graphs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Form:
    """Inputs and outputs of a workflow in App mode, in the order of the page."""

    inputs: tuple[tuple[int, str], ...]
    """Ids of nodes, each with the name of one of its widgets."""
    outputs: tuple[int, ...]
    """Ids of nodes that show or save something."""


FORMS = {
    "paint_photo": Form(((2, "image"), (3, "style_name"), (3, "strength"), (3, "seed")), (4,)),
    "paint_in_library_style": Form(
        ((3, "image"), (4, "style_name"), (6, "strength"), (6, "preserve_color"), (6, "seed")), (7,)
    ),
    "compare_before_after": Form(((2, "image"), (3, "style_name"), (3, "strength"), (3, "seed")), (5, 4)),
    "refine_painting": Form(
        (
            (2, "image"), (3, "largest_size"), (4, "image"), (9, "quality"), (9, "stroke_size"),
            (9, "preserve_color"),
        ),
        (11, 10, 12),
    ),
    "mix_library_styles": Form(
        (
            (3, "image"), (4, "style_name"), (7, "weight_1"), (5, "style_name"), (7, "weight_2"),
            (6, "style_name"), (7, "weight_3"), (9, "strength"),
        ),
        (10,),
    ),
    "random_styles_grid": Form(((3, "image"), (4, "count"), (4, "psi"), (4, "seed"), (6, "strength")), (7,)),
    "structure_and_color": Form(
        ((3, "image"), (4, "style_name"), (5, "style_name"), (8, "strength"), (8, "seed")), (9,)
    ),
    "styles_by_region": Form(
        (
            (3, "image"), (4, "style_name"), (7, "image"), (5, "style_name"), (8, "image"),
            (6, "style_name"), (12, "strength"),
        ),
        (13,),
    ),
    "style_animation": Form(
        (
            (3, "image"), (4, "largest_size"), (5, "style_name"), (6, "style_name"), (7, "style_name"),
            (8, "count"), (8, "loop"), (11, "fps"),
        ),
        (11,),
    ),
    "paint_film": Form(
        ((3, "file"), (4, "style_name"), (5, "strength"), (5, "preserve_color"), (5, "seed")), (6,)
    ),
    "steady_video": Form(
        ((3, "image"), (5, "largest_size"), (6, "amount"), (4, "style_name"), (8, "strength"), (9, "fps")),
        (10,),
    ),
    "train_and_paint": Form(
        (
            (3, "folder"), (4, "style_folder"), (4, "mode"), (4, "steps"), (4, "save_name"), (4, "resume"),
            (6, "image"), (8, "strength"),
        ),
        (9, 4, 5, 3),
    ),
    "evaluate_checkpoint": Form(
        ((2, "checkpoint"), (3, "style_folder"), (3, "content_folder"), (3, "samples"), (3, "side")), (3, 4)
    ),
    "batch_for_queue": Form(
        ((3, "image"), (4, "image"), (7, "strength"), (7, "preserve_color"), (7, "seed")), (8,)
    ),
}  # fmt: skip


def add_form(workflow: dict[str, Any], form: Form) -> None:
    """Let `workflow`, in ComfyUI's canvas format, open as `form` in App mode.

    The form shows names of widgets without their nodes. Where a name says too little, the widget gets a
    label: the beginning of its node's title.
    """
    workflow["extra"] |= {
        "linearMode": True,
        "linearData": {"inputs": [list(entry) for entry in form.inputs], "outputs": list(form.outputs)},
    }
    nodes = {node["id"]: node for node in workflow["nodes"]}
    names = [name for _, name in form.inputs]
    for id_, name in form.inputs:
        (slot,) = (slot for slot in nodes[id_]["inputs"] if slot["name"] == name)
        if names.count(name) > 1 or name in _VAGUE:
            slot["label"] = nodes[id_]["title"].partition(":")[0]


# What file dialogs are for.
_VAGUE = ("image", "file")
