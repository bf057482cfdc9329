"""EvaluateStyle in a real ComfyUI server; run as test_in_comfyui.py says. Needs torchmetrics there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from urllib.error import HTTPError

import pytest
from comfyui_server import COMFYUI, RUN_SECONDS, ComfyUIServer
from PIL import Image

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)
PYTHON = os.environ.get("COMFYUI_PYTHON", sys.executable)
if subprocess.run([PYTHON, "-c", "import torchmetrics"], capture_output=True).returncode:
    pytest.skip("ComfyUI's Python has no torchmetrics", allow_module_level=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory, inputs_dir):
    running = ComfyUIServer(tmp_path_factory.mktemp("comfyui") / "base")
    for kind, folder in (("art", "paintings"), ("photo", "photos")):
        (running.base / "input" / folder).mkdir()
        for path in sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:4]:
            with Image.open(path) as picture:
                picture.thumbnail((128, 128))
                picture.save(running.base / "input" / folder / path.name)
    with running:
        yield running


def evaluation(**changes):
    """Evaluate the shipped network on the folders and show the report and the JSON."""
    given = {
        "style_gan": ["1", 0],
        "style_folder": "paintings",
        "content_folder": "photos",
        "samples": 6,
        "side": 64,
        "features": "vgg19",
        "seed": 1,
        "psi": 0.8,
    }
    return {
        "1": {"class_type": "LoadStyleGAN", "inputs": {"checkpoint": "brushwork_default.safetensors"}},
        "2": {"class_type": "EvaluateStyle", "inputs": given | changes},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["2", 1]}},
        "5": {"class_type": "SaveImage", "inputs": {"images": ["2", 2], "filename_prefix": "sheet"}},
    }


def messages(entry):
    return dict(entry["status"]["messages"])


def test_report_json_and_sheet(server):
    entry = server.queue(evaluation())
    assert entry["status"]["status_str"] == "success", entry["status"]
    outputs = entry["outputs"]
    assert "FID to the paintings" in outputs["3"]["text"][0]
    record = json.loads(outputs["4"]["text"][0])
    assert (record["pairs"], record["photos"], record["paintings"]) == (6, 4, 4)
    assert record["scores"]["gram"]["value"] < record["scores"]["gram"]["untouched"]
    (preview,), (saved,) = outputs["2"]["images"], outputs["5"]["images"]
    assert preview["type"] == "temp"
    shown, kept = (
        picture for picture in server.pictures({"outputs": {"2": outputs["2"], "5": outputs["5"]}})
    )
    assert shown.shape == kept.shape
    assert saved["filename"].startswith("sheet")


def test_cancel_in_the_middle_and_again_afterwards(server):
    server.queue(evaluation())  # from now on the network and the packages are loaded
    long = evaluation(samples=16, side=512)
    id_ = server.post("/prompt", json.dumps({"prompt": long}).encode())["prompt_id"]
    time.sleep(1)
    deadline = time.monotonic() + RUN_SECONDS
    while id_ not in (history := server.get_json(f"/history/{id_}")):
        assert time.monotonic() < deadline, server.tail()
        with suppress(ValueError):  # the reply is empty
            server.post("/interrupt", json.dumps({"prompt_id": id_}).encode())
        time.sleep(0.5)
    assert messages(history[id_])["execution_interrupted"]["node_type"] == "EvaluateStyle"
    assert server.queue(evaluation(seed=2))["status"]["status_str"] == "success"


def test_a_new_picture_in_the_folder_is_noticed(server):
    server.queue(evaluation())
    cached = messages(server.queue(evaluation()))["execution_cached"]["nodes"]
    assert "2" in cached
    path = next((server.base / "input" / "paintings").iterdir())
    path.with_name("one-more.jpg").write_bytes(path.read_bytes())
    entry = server.queue(evaluation())
    assert "2" not in messages(entry)["execution_cached"]["nodes"]
    assert entry["status"]["status_str"] == "success"


def test_a_wrong_folder_is_refused_before_it_runs(server):
    with pytest.raises(HTTPError) as refused:
        server.queue(evaluation(style_folder="lost"))
    assert refused.value.code == 400
    details = json.loads(refused.value.read())["node_errors"]["2"]["errors"][0]["details"]
    assert "There is no folder 'lost'" in details


def test_a_wrong_choice_is_one_sentence(server):
    """When it runs: ComfyUI would mark the folder, too, if both were checked before."""
    error = messages(server.queue(evaluation(features="clip")))["execution_error"]
    assert (
        error["exception_message"]
        .strip()
        .startswith("features is 'clip'; choose one of auto, vgg19, inception")
    )


def test_no_paintings_is_one_sentence(server):
    error = messages(server.queue(evaluation(style_folder="")))["execution_error"]
    assert error["exception_message"].strip() == (
        "There are no paintings; connect style_images, or name a style_folder."
    )
