"""`brushwork render` paints the workflows of the template browser, or says why it does not."""

from __future__ import annotations

import pytest
from canvas_workflows import each_workflow, twin_of
from PIL import Image

from brushwork.base.shipped import WORKFLOWS_DIR, example_pictures
from brushwork.cli.main import main
from brushwork.cli.workflow.files import read_workflow
from brushwork.cli.workflow.headless import node_interfaces

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
