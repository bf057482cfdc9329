"""Finds and reads workflow files in ComfyUI's API format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.shipped import WORKFLOWS_DIR
from ..errors import CommandError


@dataclass
class WorkflowNode:
    """One node of a workflow: `inputs` are plain values or links [node id, output number]."""

    id: str
    class_type: str
    inputs: dict[str, Any]
    title: str | None = None

    @property
    def label(self) -> str:
        return f"node {self.id} ({self.class_type})"

    @property
    def links(self) -> dict[str, tuple[str, int]]:
        """Inputs that come from other nodes: node id and output number of each."""
        return {name: (v[0], v[1]) for name, v in self.inputs.items() if isinstance(v, list)}


Workflow = dict[str, WorkflowNode]


def find_workflow(name: str) -> Path:
    """`name` as a file, or else as the name of a workflow that ships. Raises CommandError."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = {file.stem: file for file in sorted((WORKFLOWS_DIR / "api").glob("*.json"))}
    if path.parent == Path() and path.name.removesuffix(".json") in shipped:
        return shipped[path.name.removesuffix(".json")]
    raise CommandError(f"There is no workflow {name}; give a file or one of {', '.join(shipped)}.")


def read_workflow(path: Path) -> Workflow:
    """The nodes in `path` by id. Raises CommandError if it is not an API-format workflow."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from error
    except json.JSONDecodeError as error:
        raise CommandError(f"{path} is not JSON: {error}.") from error
    if isinstance(data, dict) and isinstance(data.get("nodes"), list):
        twin = path.parent / "api" / path.name
        advice = (
            f"use {twin}" if twin.is_file() else "choose Workflow > Export (API) in ComfyUI and use that file"
        )
        raise CommandError(f"{path} is in the canvas format; {advice}.")
    if not isinstance(data, dict) or not data:
        raise CommandError(f"{path} holds no workflow; export one from ComfyUI with Export (API).")
    return {id_: _read_node(path, id_, entry) for id_, entry in data.items()}


def to_json(workflow: Workflow) -> dict[str, Any]:
    """The workflow in ComfyUI's API format, for the pictures' metadata.

    Full paths lose their folders, so that a shared picture does not show them.
    """
    return {
        node.id: {
            "class_type": node.class_type,
            "inputs": {
                name: Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
                for name, value in node.inputs.items()
            },
        }
        for node in workflow.values()
    }


def _read_node(path: Path, id_: str, entry: object) -> WorkflowNode:
    if not isinstance(entry, dict) or not isinstance(entry.get("class_type"), str):
        raise CommandError(
            f"{path}: node {id_} has no class_type; export the workflow again with Export (API)."
        )
    inputs = entry.get("inputs", {})
    if not isinstance(inputs, dict):
        raise CommandError(f"{path}: the inputs of node {id_} are not an object of names and values.")
    node = WorkflowNode(id_, entry["class_type"], dict(inputs), (entry.get("_meta") or {}).get("title"))
    for name, value in node.inputs.items():
        if isinstance(value, list) and not _is_link(value):
            raise CommandError(
                f"{path}: {name} of {node.label} is {value}; a link is [node id, output number]."
            )
    return node


def _is_link(value: list[Any]) -> bool:
    return len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int
