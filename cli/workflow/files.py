"""Finds and reads workflow files in ComfyUI's API format."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.excerpt import excerpt, json_excerpt
from ...base.json_objects import distinct_keys
from ...base.shipped import WORKFLOWS_DIR
from ..errors import CommandError

# The largest workflows that people share have 2 MB.
_LARGEST_FILE = 2**26
# Of a value in an input: packs put lists of objects there.
_DEEPEST = 20


@dataclass
class WorkflowNode:
    """One node of a workflow: `inputs` are plain values or links [node id, output number]."""

    id: str
    class_type: str
    inputs: dict[str, Any]
    title: str | None = None

    @property
    def label(self) -> str:
        return f"node {excerpt(self.id)} ({excerpt(self.class_type)})"

    @property
    def links(self) -> dict[str, tuple[str, int]]:
        """Inputs that come from other nodes: node id and output number of each."""
        return {name: (v[0], v[1]) for name, v in self.inputs.items() if isinstance(v, list)}


Workflow = dict[str, WorkflowNode]


def find_workflow(name: str) -> Path:
    """`name` as a file, or else as the name of a workflow that ships. Raises CommandError."""
    path = Path(name)
    with contextlib.suppress(OSError, ValueError):  # such as a name that is too long
        if path.is_file():
            return path
    shipped = {file.stem: file for file in sorted((WORKFLOWS_DIR / "api").glob("*.json"))}
    if path.parent == Path() and path.name.removesuffix(".json") in shipped:
        return shipped[path.name.removesuffix(".json")]
    raise CommandError(
        f"There is no workflow {excerpt(name, 300)}; give a file or one of {', '.join(shipped)}."
    )


def read_workflow(path: Path) -> Workflow:
    """The nodes in `path` by id. Raises CommandError if it is not an API-format workflow."""
    where = excerpt(str(path), 300)
    data = _read_json(path, where)
    if isinstance(data, dict) and isinstance(data.get("nodes"), list):
        twin = path.parent / "api" / path.name
        advice = (
            f"use {twin}" if twin.is_file() else "choose Workflow > Export (API) in ComfyUI and use that file"
        )
        raise CommandError(f"{where} is in the canvas format; {advice}.")
    if not isinstance(data, dict) or not data:
        raise CommandError(f"{where} holds no workflow; export one from ComfyUI with Export (API).")
    return {id_: _read_node(where, id_, entry) for id_, entry in data.items()}


def _read_json(path: Path, where: str) -> object:
    """What is in a file, by the letter of the JSON standard. Raises CommandError."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE + 1)
        if len(text) > _LARGEST_FILE:
            raise CommandError(f"{where} has more than {_LARGEST_FILE // 2**20} MB; that is no workflow.")
        return json.loads(
            text.decode("utf-8-sig"),
            object_pairs_hook=distinct_keys,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    # Each kind of damage has its sentence.
    except OSError as error:
        raise CommandError(f"{where} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{where} cannot be read: it is not a text in UTF-8.") from error
    except RecursionError as error:
        raise CommandError(
            f"{where} is nested too deeply; export the workflow again with Export (API)."
        ) from error
    except ValueError as error:
        raise CommandError(f"{where} is not JSON: {excerpt(str(error), 200)}.") from error


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{excerpt(text, 20)} is too large for a number")
    return number


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


def _read_node(where: str, id_: str, entry: object) -> WorkflowNode:
    # What is the node, and what is it called?
    if not isinstance(entry, dict) or not isinstance(entry.get("class_type"), str):
        raise CommandError(
            f"{where}: node {excerpt(id_)} has no class_type; export the workflow again with Export (API)."
        )
    inputs = entry.get("inputs", {})
    if not isinstance(inputs, dict):
        raise CommandError(
            f"{where}: the inputs of node {excerpt(id_)} are not an object of names and values."
        )
    meta = entry.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    node = WorkflowNode(id_, entry["class_type"], dict(inputs), title if isinstance(title, str) else None)
    # Its inputs are values, or links to other nodes.
    for name, value in node.inputs.items():
        if isinstance(value, list) and not _is_link(value):
            raise CommandError(
                f"{where}: {excerpt(name)} of {node.label} is {json_excerpt(value)}; "
                "a link is [node id, output number]."
            )
        if not _is_shallow(value):
            raise CommandError(
                f"{where}: {excerpt(name)} of {node.label} is nested more than {_DEEPEST} times; "
                "export the workflow again with Export (API)."
            )
    return node


def _is_shallow(value: object, depth: int = 0) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return depth < _DEEPEST and all(_is_shallow(part, depth + 1) for part in parts)


def _is_link(value: list[Any]) -> bool:
    return len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int
