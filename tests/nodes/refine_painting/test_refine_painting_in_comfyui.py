"""RefinePainting in a real ComfyUI server: its outputs in core's nodes, and Cancel in the middle.

    COMFYUI_PATH=… COMFYUI_PYTHON=… pytest -c tests/pytest.ini tests/nodes/refine_painting

COMFYUI_PATH is a checkout; COMFYUI_PYTHON the interpreter that has its requirements, by default this one.
"""

from __future__ import annotations

import json
import time
from urllib.error import HTTPError

import numpy as np
import pytest
from comfyui_server import COMFYUI, RUN_SECONDS
from PIL import Image

from brushwork.base.shipped import SHIPPED_INPUTS

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)

PHOTO, PAINTING = "photo-city-singapore.jpg", "art-vangogh-starry-night.jpg"


@pytest.fixture(scope="module")
def workflow(server, tmp_path_factory):
    """A function: the prompt with these inputs of RefinePainting."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in (PHOTO, PAINTING):
        with Image.open(SHIPPED_INPUTS / name) as picture:
            picture.thumbnail((96, 96))
            picture.save(folder / name)
        server.upload(folder / name)

    def with_inputs(**inputs):
        refine = {"image": ["1", 0], "content": ["1", 0], "style_images": ["2", 0], "quality": "draft"}
        refine |= {"content_weight": 1.0, "stroke_size": 1.0, "keep_calm": 0.0, "preserve_color": "off"}
        return {
            "1": {"class_type": "LoadImage", "inputs": {"image": PHOTO}},
            "2": {"class_type": "LoadImage", "inputs": {"image": PAINTING}},
            "3": {"class_type": "RefinePainting", "inputs": refine | inputs},
            "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "refined"}},
            "5": {"class_type": "LossGraphNode", "inputs": {"loss": ["3", 1], "filename_prefix": "loss"}},
            "6": {"class_type": "PreviewAny", "inputs": {"source": ["3", 2]}},
        }

    return with_inputs


@pytest.mark.parametrize(("steps", "said"), [(1, "1 step"), (6, "6 steps")])
def test_it_refines_and_core_shows_all_of_it(server, workflow, steps, said):
    entry = server.queue(workflow(steps=steps))
    assert entry["status"]["status_str"] == "success", entry["status"]
    (refined,) = server.pictures({"outputs": {"4": entry["outputs"]["4"]}})
    assert refined.shape == (54, 96, 3)
    assert refined.std() > 10
    (plot,) = server.pictures({"outputs": {"5": entry["outputs"]["5"]}})
    assert plot.std() > 1
    (info,) = entry["outputs"]["6"]["text"]
    assert info.startswith("1 picture of 96 x 54, 1 painting, quality draft, ")
    assert f"\n96 x 54: {said}\n" in info
    assert "Distance to the paintings' strokes 0." in info


def test_nothing_is_done_again_for_the_same_inputs(server, workflow):
    server.queue(workflow(steps=2))
    messages = dict(server.queue(workflow(steps=2))["status"]["messages"])
    assert {"1", "2", "3"} <= set(messages["execution_cached"]["nodes"])


def test_cancel_ends_it_in_the_middle(server, workflow):
    id_ = server.post("/prompt", json.dumps({"prompt": workflow(steps=100_000)}).encode())["prompt_id"]
    deadline = time.monotonic() + RUN_SECONDS
    while not server.get_json("/queue")["queue_running"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(5)  # in its steps
    server.post("/interrupt", json.dumps({"prompt_id": id_}).encode())
    while id_ not in (history := server.get_json(f"/history/{id_}")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    messages = dict(history[id_]["status"]["messages"])
    assert messages["execution_interrupted"]["node_type"] == "RefinePainting"
    # Nothing of it is left behind: the next one works.
    assert server.queue(workflow(steps=2))["status"]["status_str"] == "success"


def test_bad_inputs_are_refused_before_it_runs(server, workflow):
    for inputs, sentence in (
        ({"quality": "best"}, "quality is 'best'; choose one of draft, normal, fine."),
        ({"style_weights": "much"}, "style_weights is 'much'; give numbers of 0 or more"),
    ):
        with pytest.raises(HTTPError) as refused:
            server.queue(workflow(**inputs))
        assert refused.value.code == 400
        assert sentence in refused.value.read().decode()


def test_a_mask_without_white_says_so(server, workflow):
    """Load Image gives a black one for a picture without transparency."""
    status = server.queue(workflow(mask=["1", 1]))["status"]
    error = dict(status["messages"])["execution_error"]
    assert error["node_type"] == "RefinePainting"
    assert error["exception_message"].startswith("The mask is black, so nothing would be refined;")


def test_outside_a_mask_the_picture_stays(server, workflow):
    prompt = workflow(steps=3, mask=["9", 0])
    prompt["7"] = {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 96, "height": 54}}
    prompt["8"] = {"class_type": "SolidMask", "inputs": {"value": 0.0, "width": 48, "height": 54}}
    composite = {"destination": ["7", 0], "source": ["8", 0], "x": 0, "y": 0, "operation": "multiply"}
    prompt["9"] = {"class_type": "MaskComposite", "inputs": composite}
    prompt["10"] = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "photo"}}
    entry = server.queue(prompt)
    assert entry["status"]["status_str"] == "success", entry["status"]
    (refined,), (photo,) = (server.pictures({"outputs": {n: entry["outputs"][n]}}) for n in ("4", "10"))
    assert np.abs(refined - photo)[:, :48].max() <= 1
    assert np.abs(refined - photo)[:, 48:].mean() > 5
