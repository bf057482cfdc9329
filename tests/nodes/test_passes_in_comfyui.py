"""What a changed strength, seed or weight costs in a real ComfyUI server: one pass of the generator.

COMFYUI_PATH=… COMFYUI_PYTHON=… pytest -c tests/pytest.ini tests/nodes/test_passes_in_comfyui.py
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
from comfyui_server import COMFYUI, RUN_SECONDS, ComfyUIServer
from PIL import Image

from brushwork.base.shipped import SHIPPED_INPUTS, WORKFLOWS_DIR

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)
connect = pytest.importorskip("websockets.sync.client").connect

NETWORKS = ("ContentEncoder", "StyleEncoder", "Generator")

# A pack of its own in the same server, which writes down each call of a network of Brushwork.
COUNTING = f"""
from pathlib import Path
from torch.nn.modules.module import register_module_forward_hook

def note(module, inputs, output):
    if type(module).__name__ in {NETWORKS}:
        with Path(__file__).with_name("calls.txt").open("a") as file:
            print(type(module).__name__, file=file)

register_module_forward_hook(note)
NODE_CLASS_MAPPINGS = {{}}
"""


@pytest.fixture(scope="module")
def counting_server(tmp_path_factory):
    running = ComfyUIServer(tmp_path_factory.mktemp("comfyui") / "base")
    pack = running.base / "custom_nodes" / "counting"
    pack.mkdir()
    (pack / "__init__.py").write_text(COUNTING)
    with running:
        yield running


@pytest.fixture(scope="module")
def run(counting_server):
    """A function that runs a workflow: which nodes were executed, and which networks ran how often."""
    server = counting_server
    calls = server.base / "custom_nodes" / "counting" / "calls.txt"

    def run(workflow):
        calls.write_text("")
        address = server.url.replace("http", "ws") + "/ws?clientId=counter"
        executed = []
        with connect(address, max_size=None, open_timeout=30) as socket:
            body = {"prompt": workflow, "client_id": "counter"}
            number = server.post("/prompt", json.dumps(body).encode())["prompt_id"]
            while True:
                message = socket.recv(timeout=RUN_SECONDS)
                if isinstance(message, bytes):
                    continue  # a preview
                told = json.loads(message)
                assert told["type"] not in ("execution_error", "execution_interrupted"), told
                if told["type"] == "executing" and told["data"].get("prompt_id") == number:
                    if told["data"]["node"] is None:
                        break
                    executed.append(workflow[told["data"]["node"]]["class_type"])
        return sorted(executed), Counter(calls.read_text().split())

    return run


@pytest.fixture(scope="module")
def workflow(counting_server, run, tmp_path_factory):
    """Three mixed styles, at a strength below 1, after it ran once."""
    workflow = json.loads((WORKFLOWS_DIR / "api" / "mix_three_styles.json").read_text(encoding="utf-8"))
    folder = tmp_path_factory.mktemp("inputs")
    for node in workflow.values():
        if node["class_type"] == "LoadImage":
            small = folder / node["inputs"]["image"]
            with Image.open(SHIPPED_INPUTS / small.name) as picture:
                picture.thumbnail((96, 96))
                picture.save(small)
            counting_server.upload(small)
    workflow["11"]["inputs"]["strength"] = 0.8
    executed, passes = run(workflow)
    assert {"EncodeContent", "EncodeStyle", "MixStyles", "Generate"} <= set(executed)
    # Three paintings, and the photo's own style, towards which a strength below 1 goes. Besides, one of each
    # for the small picture that shows whether a network paints, when it is loaded.
    assert passes == {"ContentEncoder": 1 + 1, "StyleEncoder": 4 + 1, "Generator": 1 + 1}
    return workflow


@pytest.mark.parametrize(
    ("node", "name", "value", "nodes"),
    [
        ("11", "strength", 0.6, ["Generate", "SaveImage"]),
        ("11", "strength", 1.0, ["Generate", "SaveImage"]),
        ("11", "seed", 5, ["Generate", "SaveImage"]),
        ("10", "weight_1", 0.5, ["Generate", "MixStyles", "SaveImage"]),
    ],
)
def test_it_costs_one_pass_of_the_generator(run, workflow, node, name, value, nodes):
    workflow[node]["inputs"][name] = value
    assert run(workflow) == (nodes, {"Generator": 1})


def test_the_same_again_costs_nothing(run, workflow):
    run(workflow)
    assert run(workflow) == ([], {})
