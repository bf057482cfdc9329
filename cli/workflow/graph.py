"""Checks a workflow as ComfyUI's server would, and runs it node by node."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ...base.excerpt import enumeration, excerpt, value_excerpt
from ...base.system_errors import system_sentence
from ..errors import CommandError
from .files import Workflow, WorkflowNode, to_json
from .interface import InputSpec, NodeInterface

# Of a node's own words: their excerpt.
_LONGEST_MESSAGE = 1000
_LONGEST_CIRCLE = 10

logger = logging.getLogger(__name__)

Interfaces = Mapping[str, NodeInterface]


def check(workflow: Workflow, interfaces: Interfaces) -> list[str]:
    """Fill in the defaults of omitted inputs and return the ids of the nodes to run, in order.

    Nodes that no saved picture needs are checked but not run. Raises CommandError, one sentence, for
    unknown nodes and inputs, missing inputs and links, values of the wrong type or out of range,
    sockets that do not fit, cycles, and refusals of the nodes' own validators.
    """
    for node in workflow.values():
        if node.class_type not in interfaces:
            raise CommandError(
                f"{_sentence(node)} is unknown; without ComfyUI there are only {', '.join(interfaces)}."
            )
    for node in workflow.values():
        _check_node(node, workflow, interfaces)
    order = _order(workflow)
    to_visit = [node.id for node in workflow.values() if interfaces[node.class_type].is_output]
    if not to_visit:
        raise CommandError("The workflow saves no picture; add a SaveImage node.")
    needed: set[str] = set()
    while to_visit:
        id_ = to_visit.pop()
        if id_ not in needed:
            needed.add(id_)
            to_visit += [source for source, _ in workflow[id_].links.values()]
    for node in workflow.values():
        _ask_validator(node, interfaces[node.class_type])
    return [id_ for id_ in order if id_ in needed]


def run(
    workflow: Workflow,
    order: list[str],
    interfaces: Interfaces,
    on_start: Callable[[WorkflowNode], None],
) -> list[Mapping[str, str]]:
    """Execute the checked workflow; calls `on_start` for each node. Returns the files that were saved.

    An output is dropped after its last use. Raises CommandError with the node's own message.
    """
    hidden = {"PROMPT": to_json(workflow), "EXTRA_PNGINFO": None}
    # Count how many inputs still wait for each node's outputs.
    waiting = Counter(source for id_ in order for source, _ in workflow[id_].links.values())
    outputs: dict[str, tuple[Any, ...]] = {}
    saved: list[Mapping[str, str]] = []
    for id_ in order:
        node = workflow[id_]
        interface = interfaces[node.class_type]
        on_start(node)

        # Replace links by the values that other nodes gave.
        values = dict(node.inputs)
        for name, (source, slot) in node.links.items():
            values[name] = outputs[source][slot]
            waiting[source] -= 1
            if waiting[source] == 0:
                del outputs[source]
        values |= {name: hidden.get(kind, id_) for name, kind in interface.hidden.items()}

        try:
            result, pictures = interface.run(values)
        except Exception as error:
            logger.debug("%s failed", node.label, exc_info=True)
            raise CommandError(f"{_sentence(node)} failed: {_one_line(error)}") from error
        saved += pictures
        if waiting[id_]:
            outputs[id_] = result
    return saved


def _check_node(node: WorkflowNode, workflow: Workflow, interfaces: Interfaces) -> None:
    interface = interfaces[node.class_type]
    for name in [name for name in node.inputs if name not in interface.inputs]:
        # Frontends before 1.16 exported the upload button as if it were an input.
        if name == "upload" and any(spec.is_picture for spec in interface.inputs.values()):
            del node.inputs[name]
            continue
        raise CommandError(
            f"{_sentence(node)} has no input '{excerpt(name)}'; "
            f"it takes {enumeration(interface.inputs) or 'none'}."
        )
    for name, spec in interface.inputs.items():
        if name in node.links:
            _check_link(node, spec, workflow, interfaces)
        elif name in node.inputs:
            in_range = name not in interface.validated
            node.inputs[name] = spec.check(node.inputs[name], _sentence(node), in_range)
        elif spec.options.get("default") is not None:
            node.inputs[name] = spec.options["default"]
        elif spec.required:
            raise CommandError(f"{_sentence(node)} needs an input for '{name}'.")


def _check_link(node: WorkflowNode, spec: InputSpec, workflow: Workflow, interfaces: Interfaces) -> None:
    source, slot = node.links[spec.name]
    if source not in workflow:
        raise CommandError(
            f"{_sentence(node)}: {spec.name} comes from node {excerpt(source)}, which does not exist."
        )
    outputs = interfaces[workflow[source].class_type].outputs
    if not 0 <= slot < len(outputs):
        raise CommandError(
            f"{_sentence(node)}: {spec.name} comes from output {value_excerpt(slot)} of "
            f"{workflow[source].label}, which has {len(outputs)}."
        )
    given, taken = set(outputs[slot].split(",")), set(spec.type.split(","))
    if not given & taken and "*" not in given | taken:
        raise CommandError(
            f"{_sentence(node)}: {spec.name} takes {spec.type}, and {workflow[source].label} gives "
            f"{outputs[slot]} there."
        )


def _order(workflow: Workflow) -> list[str]:
    sources = {id_: {source for source, _ in node.links.values()} for id_, node in workflow.items()}
    try:
        return list(TopologicalSorter(sources).static_order())
    except CycleError as error:
        ids = [excerpt(id_) for id_ in error.args[1]]
        circle = " -> ".join(ids if len(ids) <= _LONGEST_CIRCLE else [*ids[:_LONGEST_CIRCLE], "…", ids[-1]])
        raise CommandError(
            f"The workflow goes in a circle: node {circle}; break one of the links."
        ) from error


def _ask_validator(node: WorkflowNode, interface: NodeInterface) -> None:
    if interface.validator is None:
        return
    values = {name: None if name in node.links else node.inputs.get(name) for name in interface.validated}
    try:
        verdict = interface.validator(**values)
    except Exception as error:
        # Such as a file name that is longer than the system allows.
        raise CommandError(f"{_sentence(node)} cannot take its inputs: {_one_line(error)}") from error
    if verdict is not True:
        raise CommandError(f"{_sentence(node)}: {excerpt(str(verdict), _LONGEST_MESSAGE)}")


def _sentence(node: WorkflowNode) -> str:
    return node.label[0].upper() + node.label[1:]


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return system_sentence(error)
    text = excerpt(str(error), _LONGEST_MESSAGE)
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"
