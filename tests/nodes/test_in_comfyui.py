"""The pack in a real ComfyUI server.

    COMFYUI_PATH=… COMFYUI_PYTHON=… pytest -c tests/pytest.ini tests/nodes/test_in_comfyui.py

COMFYUI_PATH is a checkout; COMFYUI_PYTHON the interpreter that has its requirements, by default this one.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

import brushwork
from brushwork.cli.main import main
from brushwork.cli.workflow import SHIPPED_INPUTS, WORKFLOWS_DIR
from brushwork.nodes import NODES

COMFYUI = os.environ.get("COMFYUI_PATH")
if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)
WORKFLOWS = sorted((WORKFLOWS_DIR / "api").glob("*.json"))
START_SECONDS, RUN_SECONDS = 240, 120


class Server:
    """A ComfyUI server with its own base folder, and the few requests that the tests make."""

    def __init__(self, base, port, log):
        self.base, self.url, self.log = base, f"http://127.0.0.1:{port}", log

    def get(self, path):
        with urlopen(self.url + path, timeout=30) as reply:
            return reply.read()

    def get_json(self, path):
        return json.loads(self.get(path))

    def post(self, path, data, content_type="application/json"):
        request = Request(self.url + path, data=data, headers={"Content-Type": content_type})
        with urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())

    def upload(self, file):
        boundary = uuid.uuid4().hex
        disposition = f'Content-Disposition: form-data; name="image"; filename="{file.name}"'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n"
        body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        self.post("/upload/image", body, f"multipart/form-data; boundary={boundary}")

    def queue(self, workflow):
        """Run `workflow` to its end and return its entry in the history."""
        id_ = self.post("/prompt", json.dumps({"prompt": workflow}).encode())["prompt_id"]
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            history = self.get_json(f"/history/{id_}")
            if id_ in history:
                return history[id_]
            time.sleep(0.2)
        raise AssertionError(f"no result within {RUN_SECONDS} s; log:\n{self.log.read_text()[-3000:]}")

    def pictures(self, entry):
        for output in entry["outputs"].values():
            for image in output.get("images", []):
                yield np.asarray(Image.open(io.BytesIO(self.get("/view?" + urlencode(image))))).astype(int)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    base = tmp_path_factory.mktemp("comfyui")
    for folder in ("custom_nodes", "input", "output", "temp", "user", "models/brushwork"):
        (base / folder).mkdir(parents=True)
    (base / "custom_nodes" / "brushwork").symlink_to(Path(brushwork.__file__).resolve().parent)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        os.environ.get("COMFYUI_PYTHON", sys.executable), "main.py", "--cpu", "--listen", "127.0.0.1",
        "--port", str(port), "--base-directory", str(base), "--database-url", "sqlite:///:memory:",
        "--disable-api-nodes", "--disable-auto-launch",
    ]  # fmt: skip
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    log = base / "server.log"
    with log.open("w") as sink:
        process = subprocess.Popen(command, cwd=COMFYUI, env=environment, stdout=sink, stderr=sink)
    running = Server(base, port, log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                running.get("/queue")
                break
            except (URLError, ConnectionError):
                assert process.poll() is None, f"ComfyUI did not start:\n{log.read_text()[-3000:]}"
                assert time.monotonic() < deadline, f"ComfyUI is not up:\n{log.read_text()[-3000:]}"
                time.sleep(0.5)
        yield running
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def small_inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    for path in SHIPPED_INPUTS.glob("*.jpg"):
        with Image.open(path) as picture:
            picture.thumbnail((160, 160))
            picture.save(folder / path.name)
    return folder


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_pack_loads_without_a_complaint(server):
    log = server.log.read_text()
    assert "IMPORT FAILED" not in "".join(line for line in log.splitlines() if "brushwork" in line)
    assert "Error while calling comfy_entrypoint" not in log
    assert "Brushwork" not in log  # our own warnings begin with it


@pytest.mark.parametrize("node_id", NODES)
def test_nodes_are_there(server, node_id):
    info = server.get_json("/object_info")[node_id]
    assert info["python_module"] == "custom_nodes.brushwork"
    assert info["category"] == "Brushwork"
    schema = NODES[node_id].GET_SCHEMA()
    names = [*info["input"]["required"], *info["input"].get("optional", {})]
    assert sorted(names) == sorted(i.id for i in schema.inputs)
    assert info["output"] == [o.io_type for o in schema.outputs]
    assert info["output_tooltips"] == [o.tooltip for o in schema.outputs]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_paint_as_they_do_headless(server, small_inputs, tmp_path, path, capsys):
    workflow = read(path)
    for node in workflow.values():
        if node["class_type"] == "LoadImage":
            server.upload(small_inputs / node["inputs"]["image"])
    entry = server.queue(workflow)
    assert entry["status"]["status_str"] == "success", entry["status"]
    pictures = list(server.pictures(entry))
    assert main(["render", str(path), "--input-dir", str(small_inputs), "--output-dir", str(tmp_path)]) == 0
    files = sorted(tmp_path.rglob("*.png"))
    assert len(pictures) == len(files) > 0
    for picture, file in zip(pictures, files, strict=True):
        assert np.abs(picture - np.asarray(Image.open(file)).astype(int)).max() <= 2


def test_a_second_run_comes_from_the_cache(server, small_inputs):
    workflow = read(WORKFLOWS_DIR / "api" / "stylize_photo.json")
    for node in ("2", "3"):
        server.upload(small_inputs / workflow[node]["inputs"]["image"])
    server.queue(workflow)
    workflow["6"]["inputs"]["strength"] = 0.5
    messages = dict(server.queue(workflow)["status"]["messages"])
    assert sorted(messages["execution_cached"]["nodes"]) == ["1", "2", "3", "4", "5"]


def test_a_missing_checkpoint_is_refused_before_it_runs(server):
    workflow = read(WORKFLOWS_DIR / "api" / "stylize_photo.json")
    workflow["1"]["inputs"]["checkpoint"] = "lost.safetensors"
    with pytest.raises(HTTPError) as refused:
        server.queue(workflow)
    assert refused.value.code == 400
    text = refused.value.read().decode()
    assert (
        "There is no checkpoint 'lost.safetensors'; put the file into ComfyUI's folder models/brushwork"
        in text
    )


def test_an_unknown_choice_is_refused_before_it_runs(server):
    workflow = read(WORKFLOWS_DIR / "api" / "stylize_photo.json")
    workflow["6"]["inputs"]["preserve_color"] = "hue"
    with pytest.raises(HTTPError) as refused:
        server.queue(workflow)
    assert "preserve_color" in refused.value.read().decode()


def test_a_wrong_checkpoint_says_what_is_wrong(server, small_inputs):
    (server.base / "models" / "brushwork" / "own.safetensors").write_bytes(pickle.dumps({"a": 1}))
    choices = server.get_json("/object_info/LoadStyleGAN")["LoadStyleGAN"]["input"]["required"]["checkpoint"][
        1
    ]
    assert choices["options"] == ["brushwork_default.safetensors", "own.safetensors"]
    workflow = read(WORKFLOWS_DIR / "api" / "random_style.json")
    server.upload(small_inputs / workflow["2"]["inputs"]["image"])
    workflow["1"]["inputs"]["checkpoint"] = "own.safetensors"
    status = server.queue(workflow)["status"]
    error = dict(status["messages"])["execution_error"]
    assert (status["status_str"], error["node_id"]) == ("error", "1")
    assert error["exception_message"].startswith("own.safetensors is a pickled PyTorch file")


def test_translations_and_help_are_served(server):
    node_defs = server.get_json("/i18n")["zh"]["nodeDefs"]
    assert node_defs.keys() >= NODES.keys()
    for node_id in NODES:
        for page in (f"{node_id}.md", f"{node_id}/zh.md"):
            assert server.get(f"/extensions/brushwork/docs/{page}").startswith(b"# ")
