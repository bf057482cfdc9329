"""The twin of a workflow in ComfyUI's API format, which `brushwork render` and `brushwork queue` read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Modes of nodes that do not run: muted and bypassed.
_IDLE = (2, 4)
_CONTROLS = ("fixed", "increment", "decrement", "randomize")


def as_prompt(workflow: dict[str, Any]) -> dict[str, Any]:
    """What a page's Export (API) writes: the nodes that run, with their values and links."""
    sources = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    return {
        str(node["id"]): {
            "class_type": node["type"],
            "inputs": dict(_values(node))
            | {s["name"]: sources[s["link"]] for s in node["inputs"] if s["link"] is not None},
            "_meta": {"title": node["title"]},
        }
        for node in workflow["nodes"]
        if node["mode"] not in _IDLE and node["type"] not in ("MarkdownNote", "Note")
    }


def _values(node: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Names and values of a node's widgets, without buttons and what happens to a seed after a run."""
    values = list(node.get("widgets_values") or ())
    for slot in node["inputs"]:
        if "widget" not in slot:
            continue
        value = values.pop(0)
        if slot["name"] == "seed" and values and values[0] in _CONTROLS:
            values.pop(0)
        if slot["name"] != "upload":
            # A list would be a link.
            yield slot["name"], {"__value__": value} if isinstance(value, list) else value
