"""The page shows errors in the one sentence that Brushwork writes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from brushwork.base.shipped import DEFAULT_CHECKPOINT, STYLES_DIR, WORKFLOWS_DIR
from brushwork.models.style_file import read_style, write_style


@pytest.fixture
def open_template(canvas):
    def open_(name):
        workflow = json.loads((WORKFLOWS_DIR / f"{name}.json").read_text(encoding="utf-8"))
        canvas.open(name, [node["title"] for node in workflow["nodes"]])

    yield open_
    canvas.reload()


def test_a_style_that_is_not_there(canvas, open_template):
    open_template("paint_in_library_style")
    canvas.set("LoadStyle", "style_name", "lost.safetensors")
    assert "error" in canvas.press_run()
    sentence = (
        "There is no style 'lost.safetensors'; put the file into ComfyUI's folder models/brushwork_styles "
        "or choose another one."
    )
    assert sentence in canvas.complaint("There is no style")


def test_a_folder_that_is_not_there(canvas, open_template):
    open_template("train_and_paint")
    canvas.set("StyleDataset", "folder", "not there")
    canvas.set("TrainStyle", "style_folder", "not there")
    answer = canvas.press_run()
    assert "error" in answer
    errors = [error for node in answer["node_errors"].values() for error in node["errors"]]
    # These turn red, and no innocent ones.
    assert {error["extra_info"]["input_name"] for error in errors} == {"folder", "style_folder"}
    assert "Name one that is in ComfyUI's input folder" in canvas.complaint("There is no folder 'not there'")


def test_a_checkpoint_that_was_deleted(canvas, server, open_template):
    own = server.base / "models" / "brushwork" / "own.safetensors"
    shutil.copy(DEFAULT_CHECKPOINT, own)
    open_template("paint_in_library_style")
    canvas.set("LoadStyleGAN", "checkpoint", "own.safetensors")
    assert canvas.run()["status"]["status_str"] == "success"
    own.unlink()
    assert "error" in canvas.press_run()
    sentence = (
        "There is no checkpoint 'own.safetensors'; put the file into ComfyUI's folder models/brushwork "
        "or choose another one."
    )
    assert sentence in canvas.complaint("There is no checkpoint")


def test_a_style_of_another_network(canvas, server, open_template):
    file = server.base / "models" / "brushwork_styles" / "foreign.safetensors"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_style(file, replace(read_style(STYLES_DIR / "munch-scream.safetensors"), encoder="0" * 16))
    try:
        open_template("paint_in_library_style")
        canvas.set("LoadStyle", "style_name", "foreign.safetensors")
        assert canvas.run()["status"]["status_str"] == "error"
        sentence = (
            "The style was made with another network's style encoder (0000000000000000), so this network "
            "cannot read it; encode the style with the connected network, or load the network it was made "
            "with."
        )
        assert sentence in canvas.complaint("The style was made with another network")
    finally:
        file.unlink()


def test_a_node_that_is_missing_names_its_pack(canvas, open_template):
    workflow = json.loads((WORKFLOWS_DIR / "paint_in_library_style.json").read_text(encoding="utf-8"))
    node = next(node for node in workflow["nodes"] if node["type"] == "Generate")
    node["type"] = node["properties"]["Node name for S&R"] = "GenerateOfTomorrow"
    del workflow["extra"]["linearMode"]
    canvas.page.evaluate("workflow => { app.loadGraphData(workflow) }", workflow)
    if canvas.knows_app_mode():
        canvas.complaint("Missing Node Packs")
        assert "brushwork" in canvas.page.get_by_test_id("missing-node-card").inner_text()
    else:
        assert "GenerateOfTomorrow" in canvas.complaint("GenerateOfTomorrow")


def test_batches_that_do_not_match(canvas, open_template):
    open_template("random_styles_grid")
    canvas.set("SampleStyle", "count", 3)
    canvas.page.evaluate("""() => {
      const two = LiteGraph.createNode('RepeatImageBatch');
      app.graph.add(two);
      two.widgets.find(w => w.name === 'amount').value = 2;
      const [photo, paint] = ['LoadImage', 'Generate'].map(t => app.graph.nodes.find(n => n.type === t));
      photo.connect(0, two, 0);
      two.connect(0, paint, paint.inputs.findIndex(i => i.name === 'photo'));
    }""")
    assert canvas.run()["status"]["status_str"] == "error"
    sentence = "The contents and the styles come in batches of 2 and 3; give each 1 or the same number."
    assert sentence in canvas.complaint("The contents and the styles")
