"""The blueprints: as their script makes them, whole, and of inputs that the nodes have."""

from __future__ import annotations

import json

import pytest

from brushwork.cli.workflow.interface import NodeInterface
from brushwork.nodes import NODES
from scripts.blueprints import BLUEPRINTS, BLUEPRINTS_DIR, as_workflow
from scripts.workflow_layout import PACK

each_blueprint = pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda blueprint: blueprint.name)


def read(blueprint):
    return json.loads((BLUEPRINTS_DIR / f"{blueprint.name}.json").read_text(encoding="ascii"))


def test_there_are_no_others():
    assert {path.name for path in BLUEPRINTS_DIR.iterdir()} == {f"{b.name}.json" for b in BLUEPRINTS}


@each_blueprint
def test_the_file_is_what_the_script_makes(blueprint):
    assert read(blueprint) == as_workflow(blueprint), "run python -m scripts.blueprints"


@each_blueprint
def test_links_agree_at_both_ends(blueprint):
    (inside,) = read(blueprint)["definitions"]["subgraphs"]
    nodes = {node["id"]: node for node in inside["nodes"]}
    for link in inside["links"]:
        if link["origin_id"] == inside["inputNode"]["id"]:
            start = inside["inputs"][link["origin_slot"]]
            assert start["linkIds"] == [link["id"]]
        else:
            start = nodes[link["origin_id"]]["outputs"][link["origin_slot"]]
            assert link["id"] in start["links"]
        if link["target_id"] == inside["outputNode"]["id"]:
            end = inside["outputs"][link["target_slot"]]
            assert end["linkIds"] == [link["id"]]
        else:
            end = nodes[link["target_id"]]["inputs"][link["target_slot"]]
            assert end["link"] == link["id"]
        assert start["type"] == end["type"] == link["type"]
    linked = [slot["link"] for node in nodes.values() for slot in node["inputs"] if slot["link"]]
    assert len(linked) + 1 == len(inside["links"])


@each_blueprint
def test_its_nodes_are_as_their_schemas_say(blueprint):
    (inside,) = read(blueprint)["definitions"]["subgraphs"]
    for node in inside["nodes"]:
        interface = NodeInterface.from_class(NODES[node["type"]])
        assert {slot["name"] for slot in node["inputs"]} == set(interface.inputs)
        assert [slot["type"] for slot in node["outputs"]] == list(interface.outputs)
        widgets = [slot["name"] for slot in node["inputs"] if "widget" in slot]
        assert widgets == [name for name in interface.inputs if name in widgets]
        for name, value in zip(widgets, node["widgets_values"], strict=True):
            interface.inputs[name].check(value, node["type"], in_range=True)
        missing = [slot["name"] for slot in node["inputs"] if slot["link"] is None and "widget" not in slot]
        assert not [name for name in missing if interface.inputs[name].required]
        assert node["properties"]["cnr_id"] == PACK


@each_blueprint
def test_the_canvas_gets_one_node_with_the_same_inputs(blueprint):
    workflow = read(blueprint)
    (outside,), (inside,) = workflow["nodes"], workflow["definitions"]["subgraphs"]
    assert outside["type"] == inside["id"]
    assert [slot["name"] for slot in outside["inputs"]] == [slot["name"] for slot in inside["inputs"]]
    assert len(outside["widgets_values"]) == sum("widget" in slot for slot in outside["inputs"])
    assert workflow["extra"]["BlueprintDescription"] == inside["description"]
