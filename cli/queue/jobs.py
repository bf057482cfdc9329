"""The jobs of a queue: pictures, pairs of them, and the prompt that paints one pair."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.excerpt import enumeration, excerpt
from ...base.files import distinct_names
from ...base.pairs import paired
from ..errors import CommandError
from ..workflow.files import Workflow
from ..workflow.interface import InputSpec
from ..workflow.settings import find_node

Slot = tuple[str, str]  # a node's id and one of its inputs


@dataclass(frozen=True)
class QueueJob:
    """One picture to paint; `name` is its result's file name without the ending."""

    name: str
    content: Path
    style: Path | None

    @property
    def pictures(self) -> tuple[Path, ...]:
        return (self.content,) if self.style is None else (self.content, self.style)


def make_queue_jobs(contents: Sequence[Path], styles: Sequence[Path], pairs: str) -> list[QueueJob]:
    """A job for each photo in each style ('cross'), or for each photo and the style beside it ('zip').

    A job's name consists of the pictures' names. A digest of their paths joins it if several names would be
    the same or too long for a file system.
    Raises CommandError if 'zip' has not as many styles as photos.
    """
    if not styles:
        couples: Sequence[tuple[Path, Path | None]] = [(content, None) for content in contents]
    else:
        try:
            couples = paired(contents, styles, pairs)
        except ValueError as error:
            raise CommandError(str(error)) from error
    names = ["__".join(path.stem for path in couple if path is not None) for couple in couples]
    pictures = [[path for path in couple if path is not None] for couple in couples]
    # The second result of IMG is IMG~2: that of a photo IMG~2 gets another name, IMG~2~1.
    names = [f"{name}~1" if re.search(r"~[0-9]+$", name) else name for name in names]
    names = distinct_names(names, pictures)
    return [QueueJob(name, *couple) for name, couple in zip(names, couples, strict=True)]


@dataclass(frozen=True)
class PromptTemplate:
    """A workflow in which the pictures of a job replace those that it was saved with."""

    nodes: dict[str, Any]
    content: Slot
    style: Slot | None

    def prompt(self, job: QueueJob, uploaded: Sequence[str], attempt: int) -> dict[str, Any]:
        """The workflow for `job`, whose pictures the server calls `uploaded`.

        The server's own copy of the result is named after the job, and from the second `attempt` on also
        after the attempt. So a cached result whose file is gone is not taken for a new one.
        """
        nodes = copy.deepcopy(self.nodes)
        for (node, name), value in zip(filter(None, (self.content, self.style)), uploaded, strict=True):
            nodes[node]["inputs"][name] = value
        again = f"_try{attempt}" if attempt > 1 else ""
        for node in nodes.values():
            prefix = node["inputs"].get("filename_prefix")
            if isinstance(prefix, str):
                # The server may have another file system, and it replaces %date% and the like in names.
                name = re.sub(r"[^\w.~-]", "_", job.name)
                node["inputs"]["filename_prefix"] = f"{prefix}_{name}{again}"
        return nodes

    def digest(self, hashes: Sequence[str]) -> str:
        """16 hexadecimal digits of the settings and of the pictures with these SHA-256 `hashes`."""
        nodes = copy.deepcopy(self.nodes)
        for node, name in filter(None, (self.content, self.style)):
            nodes[node]["inputs"][name] = None
        for node in nodes.values():
            node.pop("_meta", None)
        text = json.dumps([nodes, *hashes], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def seeds(self) -> dict[str, int]:
        """The seeds in the workflow, by 'node.input'."""
        return {
            f"{id_}.{name}": value
            for id_, node in self.nodes.items()
            for name, value in node["inputs"].items()
            if name in ("seed", "noise_seed") and type(value) is int
        }

    def title(self, node: str) -> str:
        """What the workflow calls the node with this id."""
        entry = self.nodes.get(node, {})
        title: str = entry.get("_meta", {}).get("title") or entry.get("class_type", node)
        return title


# Inputs that get the photo, and those that get the painting: classes of nodes and names.
_PHOTOS = (("EncodeContent", "image"), ("Generate", "photo"), ("PaintPhoto", "image"))
_PAINTINGS = (("EncodeStyle", "image"), ("PaintPhoto", "painting"))


def make_template(
    workflow: Workflow,
    inputs: Mapping[str, Mapping[str, InputSpec]],
    content_node: str | None,
    style_node: str | None,
    with_style: bool,
) -> PromptTemplate:
    """Find where the photo and the painting go; `inputs` are those of each class of nodes.

    The user names the node, or it is the one that loads the picture for one of `_PHOTOS` or `_PAINTINGS`.
    Raises CommandError for nodes that the server does not have, and if it is not clear which node it is.
    """
    for node in workflow.values():
        if node.class_type not in inputs:
            raise CommandError(f"The server has no node {excerpt(node.class_type)}; install its pack there.")
    nodes = {
        node.id: {"class_type": node.class_type, "inputs": dict(node.inputs), "_meta": {"title": node.title}}
        for node in workflow.values()
    }
    content = _find_slot(workflow, inputs, "--content", content_node, _PHOTOS)
    style = _find_slot(workflow, inputs, "--style", style_node, _PAINTINGS) if with_style else None
    if content == style:
        raise CommandError(
            f"Node {excerpt(content[0])} would load the photo and the painting; the workflow needs two."
        )
    return PromptTemplate(nodes, content, style)


def _find_slot(
    workflow: Workflow,
    inputs: Mapping[str, Mapping[str, InputSpec]],
    option: str,
    named: str | None,
    readers: Collection[Slot],
) -> Slot:
    # The nodes that load a picture, and the input that names it.
    loaders = {
        node.id: name
        for node in workflow.values()
        for name, spec in inputs[node.class_type].items()
        if spec.is_picture and name not in node.links
    }
    if named is not None:
        id_ = find_node(workflow, named, f"{option}-node").id
        if id_ not in loaders:
            raise CommandError(f"{option}-node {excerpt(named)} loads no picture; name a LoadImage node.")
        return id_, loaders[id_]

    # Otherwise it is the only one that the readers get pictures from, or without them the only one at all.
    sources = [
        node.links[name][0]
        for node in workflow.values()
        for class_type, name in readers
        if node.class_type == class_type and name in node.links
    ]
    before = set().union(*(_upstream(workflow, id_) for id_ in sources))
    candidates = [id_ for id_ in loaders if id_ in before or not sources]
    if len(candidates) != 1:
        found = enumeration(
            f"{id_} ({workflow[id_].title or workflow[id_].class_type})" for id_ in candidates
        )
        raise CommandError(
            f"It is not clear where the pictures of {option} go: the workflow has {found or 'none'}; "
            f"name the node with {option}-node."
        )
    return candidates[0], loaders[candidates[0]]


def _upstream(workflow: Workflow, id_: str) -> set[str]:
    found, to_visit = set(), [id_]
    while to_visit:
        node = workflow.get(to_visit.pop())
        if node is not None and node.id not in found:
            found.add(node.id)
            to_visit += [source for source, _ in node.links.values()]
    return found
