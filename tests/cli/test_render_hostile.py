"""Workflow files from strangers: each is rendered, or refused in one short sentence and at once."""

from __future__ import annotations

import json
import os
import time

import pytest

from brushwork.cli.main import main

LOAD = {"class_type": "LoadImage", "inputs": {"image": "photo.png"}}
SAVE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}}
COPY = {"1": LOAD, "2": SAVE}
MANY = "m" * 1_000_000


def with_input(node, **inputs):
    entry = COPY[node]
    return json.dumps(COPY | {node: entry | {"inputs": entry["inputs"] | inputs}})


def with_node(**fields):
    return json.dumps(COPY | {"2": SAVE | fields})


DEEP = "[" * 100_000 + "]" * 100_000
NESTED: dict = {}
for _ in range(60):
    NESTED = {"a": NESTED}

# The text of the file, and what the user sees. These rows are data: a document can be made from them.
FILES = [
    ("nested deeply", DEEP, "is nested too deeply"),
    ("a value that is nested deeply", with_input("2", x=NESTED),
     "x of node 2 (SaveImage) is nested more than 20 times"),
    ("a node that is there twice", '{"1": {"class_type": "A"}, "1": {"class_type": "B"}}',
     "'1' is there twice"),
    ("NaN", '{"1": {"class_type": "A", "inputs": {"x": NaN}}}', "is not JSON: NaN is no number"),
    ("infinity", '{"1": {"class_type": "A", "inputs": {"x": -Infinity}}}',
     "is not JSON: -Infinity is no number"),
    ("a number without end", '{"1": {"class_type": "A", "inputs": {"x": 1e999}}}',
     "1e999 is too large for a number"),
    ("a whole number of 10,000 digits", '{"1": ' + "9" * 10_000 + "}", "is not JSON: Exceeds the limit"),
    ("UTF-16", json.dumps(COPY).encode("utf-16"), "it is not a text in UTF-8"),
    ("Latin-1", b'{"1": "caf\xe9"}', "it is not a text in UTF-8"),
    ("nothing", "", "is not JSON: Expecting value"),
    ("a text", '"workflow"', "holds no workflow"),
    ("null", "null", "holds no workflow"),
    ("a class that is a list", with_node(class_type=["SaveImage"]), "node 2 has no class_type"),
    ("a class of a million letters", with_node(class_type=MANY),
     "is unknown; without ComfyUI there are only"),
    ("an id of a million letters", json.dumps({MANY: {"class_type": "A"}}),
     "is unknown; without ComfyUI there"),
    ("an input of a million letters", with_input("2", **{MANY: 1}), "Node 2 (SaveImage) has no input 'mmmm"),
    ("a text of a million letters", with_input("2", images=MANY), "images is 'mmmm"),
    ("a picture of a million letters", with_input("1", image=MANY), "there is no picture mmmm"),
    ("a link to a million letters", with_input("2", images=[MANY, 0]), "images comes from node mmmm"),
    ("a link to a huge output", with_input("2", images=["1", 10**300]), "comes from output 10000"),
    ("a link of a thousand parts", with_input("2", images=[0] * 1000),
     "images of node 2 (SaveImage) is [0, 0, 0"),
    ("a picture that is a surrogate", with_input("1", image="\ud800"), r"there is no picture \ud800 in"),
    ("a picture with a null", with_input("1", image="a\0b"), r"image is 'a\x00b'; a text has no zero bytes."),
    ("a picture that clears the screen", with_input("1", image="\x1b[2J\u202e"),
     r"there is no picture \x1b[2J\u202e in"),
    ("a prefix with a null", with_input("2", filename_prefix="a\0b"),
     r"filename_prefix is 'a\x00b'; a text has no zero bytes."),
    ("a prefix of 300 letters", with_input("2", filename_prefix="p" * 300), "Node 2 (SaveImage) failed: "),
    ("a prefix of a surrogate", with_input("2", filename_prefix="\ud800"), "Node 2 (SaveImage) failed: "),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "sentence"), FILES, ids=[row[0] for row in FILES])
def test_files_of_strangers(render, tmp_path, what, text, sentence):
    path = tmp_path / "strange.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    started = time.monotonic()
    result = render(path)
    assert time.monotonic() - started < 5
    assert result.code == 2
    assert sentence in result.err
    assert len(result.err.splitlines()) == 1
    assert len(result.err) < 1000


NUMBERS = [
    ("width", 10**400, "must be at most"),
    ("width", -(10**400), "must be at least"),
    ("width", 1e308, "must be at most"),
    ("width", True, "must be a whole number"),
    ("width", "8", "must be a whole number"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), NUMBERS)
def test_numbers(render, name, value, sentence):
    scale = {"image": ["1", 0], "upscale_method": "area", "width": 8, "height": 4, "crop": "disabled"}
    workflow = COPY | {"3": {"class_type": "ImageScale", "inputs": scale | {name: value}}}
    result = render(workflow)
    assert result.code == 2
    assert sentence in result.err
    assert len(result.err) < 400


def test_a_huge_whole_number_for_a_fraction(render, paint_workflow):
    paint_workflow["5"]["inputs"]["strength"] = 10**400
    assert "it must be a finite number." in render(paint_workflow).err


@pytest.mark.parametrize("meta", [[1], "title", 5, {"title": [1]}, {"title": {}}, None])
def test_titles_of_other_shapes(render, meta):
    assert render(COPY | {"2": SAVE | {"_meta": meta}}).code == 0


def test_a_byte_order_mark(render, tmp_path):
    (tmp_path / "bom.json").write_text(json.dumps(COPY), encoding="utf-8-sig")
    assert render(tmp_path / "bom.json").code == 0


@pytest.mark.parametrize("title", ["Save [/final]", "[bold", "\x1b[2J", "\u202etitle", "t" * 10_000])
def test_titles_that_look_like_markup(render, monkeypatch, title):
    """On a terminal, where the bars are drawn."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = render(COPY | {"2": SAVE | {"_meta": {"title": title}}})
    assert result.code == 0
    assert result.files == ["copy_00001_.png"]


@pytest.mark.parametrize("folder", ["../beside", "./here/../there", "sub/"])
def test_an_output_folder_with_dots(copy_workflow, pictures, tmp_path, monkeypatch, folder):
    """SaveImage called it outside of the output folder, after all the painting."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "w.json").write_text(json.dumps(copy_workflow))
    assert main(["render", "../w.json", "--input-dir", "../pictures", "--output-dir", folder]) == 0
    assert os.path.exists(os.path.abspath(os.path.join(folder, "copy_00001_.png")))


def test_a_chain_of_ten_thousand_nodes(render):
    """It took 29 s, because each step searched a list."""
    chain = dict(COPY)
    for i in range(10_000):
        batch = {"image1": [str(i + 2) if i else "1", 0], "image2": ["1", 0]}
        chain[str(i + 3)] = {"class_type": "ImageBatch", "inputs": batch}
    chain["last"] = {"class_type": "ImageScale", "inputs": {"image": ["10002", 0], "width": -1}}
    started = time.monotonic()
    result = render(chain)
    assert result.code == 2
    assert "Node last (ImageScale)" in result.err
    assert time.monotonic() - started < 8


def test_a_net_of_ten_thousand_nodes_is_put_in_order():
    """Each takes what the ten before it give."""
    from brushwork.cli.workflow.files import WorkflowNode
    from brushwork.cli.workflow.graph import check
    from brushwork.cli.workflow.interface import InputSpec, NodeInterface

    images = {f"image{i}": InputSpec(f"image{i}", "IMAGE", {}, None, required=False) for i in range(1, 11)}
    step = NodeInterface(object, images, ("IMAGE",), is_output=False)
    end = NodeInterface(object, images, (), is_output=True)
    workflow = {
        str(i): WorkflowNode(str(i), "Step", {f"image{j}": [str(i - j), 0] for j in range(1, min(i, 10) + 1)})
        for i in range(10_000)
    }
    workflow["end"] = WorkflowNode("end", "End", {"image1": ["9999", 0]})
    started = time.process_time()
    assert check(workflow, {"Step": step, "End": end}) == [*map(str, range(10_000)), "end"]
    assert time.process_time() - started < 5


def test_a_circle_of_ten_thousand_nodes(render):
    circle = dict(COPY)
    for i in range(10_000):
        batch = {"image1": [str(i + 2) if i else "10002", 0], "image2": ["1", 0]}
        circle[str(i + 3)] = {"class_type": "ImageBatch", "inputs": batch}
    result = render(circle)
    assert "The workflow goes in a circle: node " in result.err
    assert len(result.err) < 500


SETTINGS = [
    ("node", f"{MANY}.x=1", "--set: there is no node 'mmmm"),
    ("input", f"2.{MANY}=1", "has no input 'mmmm"),
    ("value", f"1.image={MANY}", "there is no picture mmmm"),
    ("no equals sign", MANY, "is not of the form node.input=value."),
]


@pytest.mark.parametrize(("what", "setting", "sentence"), SETTINGS, ids=[row[0] for row in SETTINGS])
def test_long_settings(render, what, setting, sentence):
    result = render(COPY, "--set", setting)
    assert result.code == 2
    assert sentence in result.err
    assert len(result.err) < 600


def test_a_long_name_of_a_workflow(render):
    result = render("w" * 5000)
    assert result.code == 2
    assert "There is no workflow wwww" in result.err
    assert len(result.err) < 700
