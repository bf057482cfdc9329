"""Every workflow as a person meets it: among the templates, in App mode, on the canvas, and after a run."""

from __future__ import annotations

import json
import re

import pytest
from comfyui_page import RUN_SECONDS

from brushwork.base.shipped import WORKFLOWS_DIR
from scripts.translations import locale

WORKFLOWS = sorted(WORKFLOWS_DIR.glob("*.json"))
# Small enough for a test on a CPU.
SMALLER = {
    "random_styles_grid": {("SampleStyle", "count"): 3},
    "style_animation": {("ImageScaleToMaxDimension", "largest_size"): 128, ("InterpolateStyles", "count"): 6},
    "steady_video": {("ImageScaleToMaxDimension", "largest_size"): 128, ("RepeatImageBatch", "amount"): 4},
    "refine_painting": {("ImageScaleToMaxDimension", "largest_size"): 96, ("RefinePainting", "steps"): 6},
    "train_and_paint": {
        ("TrainStyle", "mode"): "style_code",
        ("TrainStyle", "steps"): 10,
        ("TrainStyle", "batch_size"): 1,
        ("TrainStyle", "resolution"): 64,
    },
    "evaluate_checkpoint": {("EvaluateStyle", "samples"): 8, ("EvaluateStyle", "side"): 64},
}
# Those that are run here, and how many pictures or videos are then seen on which nodes, by title.
SHOWN = {
    "paint_photo": {"Photo": 1, "Result": 1},
    "paint_in_library_style": {"Photo": 1, "Style": 1, "Result": 1},
    "refine_painting": {"Photo": 1, "Painting": 1, "Before": 1, "Result": 1},
    "mix_library_styles": {"Result": 1},
    "compare_before_after": {"Photo": 1, "Before and after": 2, "Result": 1},
    "random_styles_grid": {"Results": 3},
    "structure_and_color": {"Structure": 1, "Result": 1},
    "styles_by_region": {"Region 1": 1, "Region 2": 1, "Result": 1},
    "style_animation": {"Animation": 1},
    "steady_video": {"Result": 1},
    "paint_film": {"Result": 1},
    "train_and_paint": {"Check the pictures": 1, "Train": 1, "Loss": 1, "Result": 1},
    "evaluate_checkpoint": {"Score": 1},
    "batch_for_queue": {"Photo": 1, "Painting": 1, "Result": 1},
}
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def runs_here(canvas, path):
    """Whether this core has all the nodes; those that it lacks keep a workflow from the list."""
    types = [node["type"] for node in read(path)["nodes"]]
    return canvas.page.evaluate("types => types.every(type => LiteGraph.registered_node_types[type])", types)


def open_template(canvas, path, as_app=False):
    if not runs_here(canvas, path):
        pytest.skip("this core has not all the nodes")
    canvas.open(path.stem, [node["title"] for node in read(path)["nodes"]], as_app)


def make_smaller(canvas, name):
    for (type_, widget), value in SMALLER.get(name, {}).items():
        canvas.set(type_, widget, value)


def test_all_are_listed_with_a_thumbnail_and_the_simplest_first(canvas):
    listed = canvas.templates()
    assert listed == {path.stem: 512 for path in WORKFLOWS if runs_here(canvas, path)}
    assert len(listed) == len(WORKFLOWS) - ("compare_before_after" not in listed)
    assert list(listed)[:3] == ["paint_photo", "paint_in_library_style", "mix_library_styles"]
    assert list(listed)[-1] == "batch_for_queue"


def test_the_list_says_what_each_is_about(canvas):
    canvas.templates()
    texts = locale("en")["brushwork"]
    for path in WORKFLOWS:
        if runs_here(canvas, path):
            said = canvas.said_of(path.stem)
            assert texts["notes"][path.stem].split("\n")[0].removeprefix("## ") in said
            assert texts["descriptions"][path.stem] in said


@pytest.mark.parametrize(
    ("words", "node_id"),
    [
        ("paint", "PaintPhoto"),
        ("style transfer", "PaintPhoto"),
        ("neural style", "PaintPhoto"),
        ("artistic", "Generate"),
        ("van gogh", "LoadStyle"),
    ],
)
def test_people_find_the_nodes(canvas, words, node_id):
    found = canvas.search(words)
    if words == "paint" and found[:2] == ["Painter", "PaintMesh"]:
        # Nodes of newer cores, whose names are as near.
        assert found[2] == node_id
        return
    assert found[0] == node_id
    canvas.add_node(words)  # typed, as a person does
    assert canvas.page.evaluate("app.graph.nodes[0].type") == node_id


def test_newer_pages_find_by_what_no_name_says(canvas):
    known = canvas.server.get_json("/object_info/PaintPhoto")["PaintPhoto"].get("search_aliases")
    if known is None:
        pytest.skip("this core knows no aliases")
    assert canvas.search("picasso")[0] == "PaintPhoto"


def test_the_first_connected_style_counts(canvas):
    open_template(canvas, WORKFLOWS_DIR / "mix_library_styles.json")
    canvas.page.evaluate("""() => {
      const mix = app.graph.nodes.find(node => node.type === 'MixStyles');
      mix.disconnectInput(mix.inputs.findIndex(input => input.name === 'style_1'));
    }""")
    entry = canvas.run()
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]


@pytest.mark.parametrize(
    ("name", "bypassed", "result", "source"),
    [
        ("paint_in_library_style", "Generate", ("SaveImage", "images"), "LoadImage"),
        ("paint_photo", "PaintPhoto", ("SaveImage", "images"), "LoadImage"),
        ("steady_video", "PaintVideo", ("CreateVideo", "images"), "ImageAddNoise"),
        ("paint_film", "PaintVideo", ("SaveVideo", "video"), "LoadVideo"),
    ],
)
def test_a_bypassed_node_passes_the_photo_on(canvas, name, bypassed, result, source):
    open_template(canvas, WORKFLOWS_DIR / f"{name}.json")
    canvas.page.evaluate("type => (app.graph.nodes.find(node => node.type === type).mode = 4)", bypassed)
    prompt = canvas.prompt()
    type_, slot = result
    (last,) = (node for node in prompt.values() if node["class_type"] == type_)
    assert prompt[last["inputs"][slot][0]]["class_type"] == source


def test_train_style_says_which_numbers_are_automatic(canvas):
    open_template(canvas, WORKFLOWS_DIR / "train_and_paint.json")
    widgets = canvas.page.evaluate("""() => app.graph.nodes.find(node => node.type === 'TrainStyle').widgets
      .map(({ name, label, value }) => ({ name, label, value }))""")
    unset = {widget["name"]: widget["label"] for widget in widgets if widget["value"] in (0, -1)}
    assert len(unset) == 11
    assert all(label.endswith(f"({-1 if '_weight' in name else 0}: auto)") for name, label in unset.items())
    if not canvas.page.evaluate("Boolean(LiteGraph.vueNodesMode)"):
        return
    known = canvas.server.get_json("/object_info/TrainStyle")["TrainStyle"]["input"]
    known = known["required"] | known["optional"]
    advanced = {name for name, (_, *more) in known.items() if more and more[0].get("advanced")}
    assert len(advanced) in (0, 14)  # older cores do not know the word
    own = "app.graph.nodes.find(node => node.type === 'TrainStyle').id"
    node = canvas.page.locator(f'[data-node-id="{canvas.page.evaluate(own)}"]')
    shown = node.inner_text()
    assert {name for name, label in unset.items() if label in shown} == set(unset) - advanced
    if advanced:
        everything = "on => app.extensionManager.setting.set('Comfy.Node.AlwaysShowAdvancedWidgets', on)"
        canvas.page.evaluate(everything, True)
        canvas.page.wait_for_timeout(1000)
        shown = node.inner_text()
        canvas.page.evaluate(everything, False)
        assert all(label in shown for label in unset.values())


def test_a_notice_is_shown(canvas):
    """What Train Style says after Cancel; the text under a node goes with the run."""
    canvas.page.evaluate("canvasTests.receive('brushwork.notice', { text: 'To go on, press Run again.' })")
    assert "To go on, press Run again." in canvas.complaint("To go on")
    canvas.reload()  # the notice stays until it is closed


def test_after_cancel_the_page_says_how_to_go_on(canvas):
    path = WORKFLOWS_DIR / "train_and_paint.json"
    open_template(canvas, path)
    make_smaller(canvas, path.stem)
    canvas.set("TrainStyle", "steps", 2000)
    canvas.set("TrainStyle", "save_name", "cancelled")
    canvas.page.evaluate("canvasTests.note(['progress_text'])")
    canvas.press_run()
    try:
        begun = "canvasTests.texts.some(([id, text]) => text.includes('of 2000'))"
        canvas.page.wait_for_function(begun, timeout=1000 * RUN_SECONDS)
    finally:  # or the tests after it wait for these steps
        canvas.page.evaluate("() => { app.extensionManager.command.execute('Comfy.Interrupt') }")
    said = canvas.complaint("To go on, press Run again")
    assert re.search(r"Stopped at step \d+", said), said
    assert "Everything is saved." in said
    canvas.reload()  # the notice stays until it is closed


@each_workflow
def test_it_opens_without_a_fault_and_exports_its_twin(canvas, path):
    open_template(canvas, path, as_app=True)
    assert canvas.is_app() == canvas.has_app_mode()
    if canvas.knows_app_mode():
        form = canvas.form()
        assert len(set(form.pop("labels"))) == len(form["inputs"])
        assert form == read(path)["extra"]["linearData"]
    canvas.show_graph()
    assert canvas.faults() == []
    info = canvas.server.get_json("/object_info")
    prompt, twin = canvas.prompt(), read(path.parent / "api" / path.name)
    for name, node in prompt.items():
        known = info[node["class_type"]]["input"]
        known = {each for group in ("required", "optional") for each in known.get(group, {})}
        # Newer cores give their own nodes further fields, as CreateVideo its bit depth.
        if not info[node["class_type"]]["python_module"].startswith("custom_nodes"):
            known &= set(twin[name]["inputs"])
        # Pages add what their own widgets hold, as PreviewAny's, which the server does not read.
        node["inputs"] = {each: value for each, value in node["inputs"].items() if each in known}
        # Newer pages say which pack a node is from.
        node["_meta"].pop("cnr_id", None)
    assert prompt == twin


@pytest.mark.parametrize("name", SHOWN)
def test_it_runs_and_shows_its_results(canvas, name):
    path = WORKFLOWS_DIR / f"{name}.json"
    open_template(canvas, path)
    make_smaller(canvas, name)
    entry = canvas.run()
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    ids = {node["title"].partition(":")[0]: str(node["id"]) for node in read(path)["nodes"]}
    for title, count in SHOWN[name].items():
        if title == "Before and after" and not canvas.page.evaluate("Boolean(LiteGraph.vueNodesMode)"):
            continue  # there the node says that it needs Nodes 2.0
        assert len(canvas.shown_on(ids[title], count)) == count, title
    assert canvas.faults() == []


def test_app_mode_runs(canvas):
    open_template(canvas, WORKFLOWS_DIR / "paint_photo.json", as_app=True)
    if not canvas.knows_app_mode():
        pytest.skip("this frontend has no App mode")
    entry = canvas.run()
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    (picture,) = (file["filename"] for output in entry["outputs"].values() for file in output["images"])
    canvas.page.locator(f"[data-testid=linear-center-panel] img[src*='{picture}']").first.wait_for()


def test_training_leaves_its_sheet_on_the_node(canvas):
    """Not the last preview of a photo, which pages show in the place of what a node returns."""
    path = WORKFLOWS_DIR / "train_and_paint.json"
    open_template(canvas, path)
    make_smaller(canvas, path.stem)
    canvas.set("TrainStyle", "save_name", "another")
    entry = canvas.run()
    id_ = next(str(node["id"]) for node in read(path)["nodes"] if node["type"] == "TrainStyle")
    entry["outputs"] = {id_: entry["outputs"][id_]}
    (sheet,) = canvas.server.pictures(entry)
    ((width, height),) = canvas.shown_on(id_, 1)
    assert width / height == pytest.approx(sheet.shape[1] / sheet.shape[0], rel=0.01)
