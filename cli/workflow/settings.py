"""The workflow on a command line, and the inputs that `--set` changes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from ...base.excerpt import enumeration, excerpt
from ..errors import CommandError
from .files import Workflow, WorkflowNode
from .interface import InputSpec


def add_workflow_arguments(parser: argparse.ArgumentParser) -> None:
    """WORKFLOW, for `find_workflow`, and `--set`, for `apply_settings`."""
    parser.add_argument("workflow", help="a .json file, or the name of a workflow that ships with Brushwork")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="NODE.INPUT=VALUE",
        help="change an input; NODE is a node's id, title or class (may be given more than once)",
    )


def apply_settings(
    workflow: Workflow, settings: Sequence[str], inputs: Mapping[str, Mapping[str, InputSpec]]
) -> None:
    """Change `workflow` as each 'node.input=value' says; node is an id, a title or a class.

    `inputs` are those of each class of nodes.

    Raises CommandError for a malformed setting, a node that is not there or not the only one, an
    input that it does not have, and a value that the input cannot take.
    """
    for setting in settings:
        address, equals, text = setting.partition("=")
        name, dot, input_name = address.rpartition(".")
        if not (equals and dot and name and input_name):
            raise CommandError(f"--set {excerpt(setting)} is not of the form node.input=value.")
        where = f"--set {excerpt(setting)}"
        node = find_node(workflow, name, "--set")
        known = inputs.get(node.class_type)
        if known is None:
            raise CommandError(f"{where}: {node.label} is of a kind that this command does not know.")
        spec = known.get(input_name)
        if spec is None:
            raise CommandError(
                f"{where}: {node.label} has no input '{excerpt(input_name)}'; it has {enumeration(known)}."
            )
        node.inputs[input_name] = spec.parse(text, where)


def find_node(workflow: Workflow, name: str, option: str) -> WorkflowNode:
    """The node with this id, or the only one with this title or class.

    Raises CommandError if there is no such node or several; the message begins with `option`.
    """
    if name in workflow:
        return workflow[name]
    wanted = name.casefold()
    for key in ("title", "class_type"):
        found = [node for node in workflow.values() if (getattr(node, key) or "").casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            ids = enumeration(node.id for node in found)
            raise CommandError(
                f"{option}: '{excerpt(name)}' means the nodes {ids}; name one of them by its id."
            )
    names = enumeration(f"{node.id} ({node.title or node.class_type})" for node in workflow.values())
    raise CommandError(f"{option}: there is no node '{excerpt(name)}'; the workflow has {names}.")
