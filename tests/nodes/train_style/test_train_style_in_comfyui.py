"""TrainStyle in a real ComfyUI, in process and over HTTP; run as test_in_comfyui.py says."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError

import numpy as np
import pytest
import torch
from comfyui_server import COMFYUI, RUN_SECONDS, ComfyUIServer
from PIL import Image
from training_states import read_state

from brushwork.models import StyleGAN
from brushwork.models.style_file import read_style
from brushwork.training.options import MODES

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)

STEPS = 30
PHOTO = "photo-portrait-astronaut.jpg"
WEIGHTS = {f"{name}_weight": -1.0 for name in ("adversarial", "content", "style", "identity", "code")}
SETTINGS = {
    "style_folder": "paintings",
    "content_folder": "photos",
    "steps": STEPS,
    "batch_size": 2,
    "resolution": 32,
    "learning_rate": 0.0,
    "learning_rate_d": 0.0,
    **WEIGHTS,
    "adversarial_loss": "least_squares",
    "seed": 1,
    "validation_share": 0.25,
    "resume": True,
    "preview_every": 5,
    "licence": "CC0",
}
each_mode = pytest.mark.parametrize("mode", MODES)


def training(mode, save_name, **changes):
    """Train on the folders."""
    given = {"style_gan": ["1", 0], "mode": mode, "save_name": save_name, **SETTINGS} | changes
    return {"1": painting()["1"], "7": {"class_type": "TrainStyle", "inputs": given}}


def training_and_painting(mode, save_name):
    """Train on the folders; paint the photo with the result; plot the losses."""
    return {
        **training(mode, save_name),
        "2": painting()["2"],
        "8": {"class_type": "EncodeContent", "inputs": {"style_gan": ["7", 0], "image": ["2", 0]}},
        "9": generate(["7", 0], ["8", 0], ["7", 1]),
        "10": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "trained"}},
        "11": {"class_type": "LossGraphNode", "inputs": {"loss": ["7", 2], "filename_prefix": "losses"}},
    }


def painting(strength=1.0):
    """Paint the photo in a style that ships."""
    return {
        "1": {"class_type": "LoadStyleGAN", "inputs": {"checkpoint": "brushwork_default.safetensors"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": PHOTO}},
        "3": {"class_type": "EncodeContent", "inputs": {"style_gan": ["1", 0], "image": ["2", 0]}},
        "4": {"class_type": "LoadStyle", "inputs": {"style_name": "library/van-gogh-starry-night"}},
        "5": generate(["1", 0], ["3", 0], ["4", 0], strength),
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "painted"}},
    }


def generate(gan, content, style, strength=1.0):
    given = {"style_gan": gan, "content": content, "style": style}
    given |= {"strength": strength, "preserve_color": "off"}
    return {"class_type": "Generate", "inputs": given}


def fill(folder, inputs_dir):
    """A photo, four paintings and four photos of 128 pixels."""
    for kind, target in (("art", "paintings"), ("photo", "photos")):
        (folder / target).mkdir()
        for path in sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:4]:
            with Image.open(path) as picture:
                picture.thumbnail((128, 128))
                picture.save(folder / target / path.name)
    with Image.open(inputs_dir / PHOTO) as picture:
        picture.thumbnail((96, 96))
        picture.save(folder / PHOTO)


def state_of(base, name):
    return read_state(base / "output" / "brushwork_training" / name / "state.safetensors")


def assert_same_run(*runs):
    """Two runs, (base, name) each, bit for bit: states, their headers, and the results."""
    (tensors, header), (tensors_2, header_2) = (state_of(*run) for run in runs)
    assert header == header_2
    assert tensors.keys() == tensors_2.keys()
    assert all(torch.equal(value, tensors_2[name]) for name, value in tensors.items())
    styles = [base / "models" / "brushwork_styles" / f"{name}.safetensors" for base, name in runs]
    assert torch.equal(*(read_style(path).code for path in styles))
    if header["options"]["mode"] != "style_code":
        networks = [base / "models" / "brushwork" / f"{name}.safetensors" for base, name in runs]
        weights, weights_2 = (StyleGAN.load(path).state_dict() for path in networks)
        assert all(torch.equal(value, weights_2[name]) for name, value in weights.items())


# -- in process -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_process(tmp_path_factory, inputs_dir):
    """The base folder, and the report on: painting, training in every mode, painting again."""
    base = ComfyUIServer(tmp_path_factory.mktemp("process") / "base").base
    fill(base / "input", inputs_dir)
    # The last strength differs a little, so that Generate runs again and is not taken from the cache.
    prompts = [painting(), *(training_and_painting(mode, mode) for mode in MODES), painting(0.999999)]
    files = [base / "prompts.json", base / "results.json"]
    files[0].write_text(json.dumps(prompts))
    script = Path(__file__).with_name("train_in_process.py")
    python = os.environ.get("COMFYUI_PYTHON", sys.executable)
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [python, script, base, *files], env=environment, capture_output=True, text=True, cwd=COMFYUI
    )
    assert files[1].exists(), done.stderr[-3000:]
    return base, json.loads(files[1].read_text())


def saved_picture(base, entry):
    folder = base / ("temp" if entry["type"] == "temp" else "output") / entry["subfolder"]
    return np.asarray(Image.open(folder / entry["filename"])).astype(int)


def test_every_mode_runs_in_process(in_process):
    _, report = in_process
    assert [run["error"] for run in report["runs"]] == [None] * 5
    assert all(run["success"] for run in report["runs"])


def test_the_upstream_network_paints_the_same_pixels_after_training(in_process):
    base, report = in_process
    before, after = (saved_picture(base, report["runs"][i]["outputs"]["6"]["images"][0]) for i in (0, -1))
    assert np.abs(before - after).max() <= 1
    assert np.abs(before - after).mean() < 0.01


def test_nothing_is_left_behind_in_the_process(in_process):
    _, report = in_process
    left = report["left_behind"]
    # The upstream network and the two new ones, which are outputs in ComfyUI's cache until they are replaced.
    assert 1 <= left.pop("networks") <= 3
    assert set(left.values()) == {0}


def test_what_was_trained_in_process_paints_and_is_plotted(in_process):
    base, report = in_process
    photo = np.asarray(Image.open(base / "input" / PHOTO)).astype(int)
    for run in report["runs"][1:4]:
        painted = saved_picture(base, run["outputs"]["10"]["images"][0])
        assert painted.shape == photo.shape
        assert np.abs(painted - photo).mean() > 5
        sheet = saved_picture(base, run["outputs"]["7"]["images"][0])
        assert min(sheet.shape[:2]) > 600
        graph = saved_picture(base, run["outputs"]["11"]["images"][0])
        assert (graph[..., 2] - graph[..., 0] > 100).sum() > 200  # core draws the curve in blue


# -- over HTTP ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory, inputs_dir):
    running = ComfyUIServer(tmp_path_factory.mktemp("comfyui") / "base")
    fill(running.base / "input", inputs_dir)
    with running:
        yield running


def begin(server, workflow, client="tests"):
    body = json.dumps({"prompt": workflow, "client_id": client}).encode()
    return server.post("/prompt", body)["prompt_id"]


def wait_for(server, condition, what):
    deadline = time.monotonic() + RUN_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {RUN_SECONDS} s; log:\n{server.tail()}"
        time.sleep(0.05)
    return found


def ended(server, id_):
    return wait_for(server, lambda: server.get_json(f"/history/{id_}").get(id_), "the end of the prompt")


def wait_for_step(server, name, step):
    """The preview of this step is written when the step is done."""
    preview = server.base / "output" / "brushwork_training" / name / f"preview_{step:06d}.jpg"
    wait_for(server, preview.exists, f"step {step} of {name}")


def messages(entry):
    return dict(entry["status"]["messages"])


@each_mode
def test_cancel_and_queue_again_ends_like_the_run_that_was_left_alone(server, in_process, mode):
    id_ = begin(server, training_and_painting(mode, mode))
    wait_for_step(server, mode, 10)
    server.post("/interrupt", json.dumps({"prompt_id": id_}).encode())
    cancelled = messages(ended(server, id_))
    assert cancelled["execution_interrupted"]["node_type"] == "TrainStyle"
    stopped_at = state_of(server.base, mode)[1]["step"]
    assert 10 <= stopped_at < STEPS
    if mode != "style_code":
        for name in (mode, f"{mode}_last"):
            StyleGAN.load(server.base / "models" / "brushwork" / f"{name}.safetensors")

    again = server.queue(training_and_painting(mode, mode))
    assert again["status"]["status_str"] == "success", again["status"]
    assert f"Brushwork: going on from step {stopped_at}\n" in server.log.read_text()
    base, report = in_process
    assert_same_run((base, mode), (server.base, mode))
    alone = report["runs"][1 + MODES.index(mode)]["outputs"]["10"]["images"][0]
    painted = next(server.pictures({"outputs": {"10": again["outputs"]["10"]}}))
    assert np.array_equal(painted, saved_picture(base, alone))


def test_a_finished_run_is_taken_from_the_cache_and_after_a_change_is_not(server):
    first = server.queue(training("style_code", "cached", steps=2))
    assert first["status"]["status_str"] == "success", first["status"]
    cached = messages(server.queue(training("style_code", "cached", steps=2)))["execution_cached"]
    assert "7" in cached["nodes"]
    extra = server.base / "input" / "paintings" / "one-more.png"
    Image.effect_noise((96, 96), 60).convert("RGB").save(extra)
    try:
        cached = messages(server.queue(training("style_code", "cached", steps=2)))["execution_cached"]
    finally:
        extra.unlink()
    assert "7" not in cached["nodes"]
    assert state_of(server.base, "cached_2")[1]["step"] == 2


def test_new_files_are_listed_without_a_restart(server):
    server.queue(training("fine_tune", "listed", steps=1))
    kinds = {"LoadStyleGAN": "checkpoint", "LoadStyle": "style_name"}
    for node, name in kinds.items():
        info = server.get_json(f"/object_info/{node}")[node]["input"]["required"][name]
        assert "listed.safetensors" in info[1]["options"]
    workflow = painting()
    workflow["1"]["inputs"]["checkpoint"] = "listed.safetensors"
    workflow["4"]["inputs"]["style_name"] = "listed.safetensors"
    assert server.queue(workflow)["status"]["status_str"] == "success"


def test_a_wrong_folder_is_refused_before_it_runs(server):
    with pytest.raises(HTTPError) as refused:
        server.queue(training("style_code", "bad", style_folder="nowhere"))
    assert refused.value.code == 400
    assert "There is no folder 'nowhere'" in refused.value.read().decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "everything"}, "mode is 'everything'; choose one of style_code"),
        ({"save_name": " "}, "save_name is ' '; give a name"),
    ],
)
def test_other_bad_inputs_are_one_sentence(server, changes, message):
    """When it runs: ComfyUI would mark the folder, too, if all were checked before."""
    entry = server.queue(training(**{"mode": "style_code", "save_name": "bad"} | changes))
    assert message in messages(entry)["execution_error"]["exception_message"]


def test_progress_previews_and_text_reach_the_page(server):
    with watching(server, "watcher") as seen:
        ended(server, begin(server, training("fine_tune", "watched", steps=20), "watcher"))
    kinds = Counter(kind for kind, _ in seen)
    steps = [m["data"]["value"] for kind, m in seen if kind == "progress" and m["data"]["node"] == "7"]
    assert steps == sorted(steps)
    # At most: the start, every step, the pictures of four validations, the sheet at the end.
    assert 1 < len(steps) <= 1 + 20 + 4 + 1
    assert kinds["preview"] >= 1
    previews = [data[data.index(b"\xff\xd8") :] for kind, data in seen if kind == "preview"]
    assert all(data.startswith(b"\xff\xd8\xff") for data in previews)
    texts = [data.decode(errors="replace") for kind, data in seen if kind == "text"]
    assert any("steps/s" in text or "s/step" in text for text in texts)
    assert any(" left, loss " in text for text in texts)


@contextmanager
def watching(server, client):
    """A page that is open: (kind, message) of all that the server sends to `client`, as a list."""
    seen = []
    page = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    key = base64.b64encode(os.urandom(16)).decode()
    page.sendall(
        f"GET /ws?clientId={client} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    stream = page.makefile("rb")
    assert b"101" in stream.readline()
    while stream.readline().strip():
        pass
    reader = Thread(target=_read_messages, args=(stream, seen), daemon=True)
    reader.start()
    try:
        yield seen
        time.sleep(0.5)
    finally:
        page.shutdown(socket.SHUT_RDWR)
        reader.join(30)
        page.close()


def _read_messages(stream, seen):
    """RFC 6455 without what the server does not send: fragments, extensions."""
    kinds = {1: "preview", 3: "text", 4: "preview"}
    while len(head := stream.read(2)) == 2:
        size = head[1] & 127
        if size > 125:
            size = struct.unpack(">H" if size == 126 else ">Q", stream.read(2 if size == 126 else 8))[0]
        data, opcode = stream.read(size), head[0] & 15
        if opcode == 1:
            message = json.loads(data)
            seen.append((message["type"], message))
        elif opcode == 2:
            seen.append((kinds.get(struct.unpack(">I", data[:4])[0], "other"), data[4:]))


def test_kill_in_the_middle_restart_and_go_on(server, in_process):
    """Last of all, since it restarts the server: from the state that Cancel saved, with later work lost."""
    name = "killed"
    id_ = begin(server, training("fine_tune", name))
    wait_for_step(server, name, 5)
    server.post("/interrupt", json.dumps({"prompt_id": id_}).encode())
    ended(server, id_)
    saved = state_of(server.base, name)[1]["step"]
    begin(server, training("fine_tune", name))
    wait_for_step(server, name, (saved // 5 + 2) * 5)
    server.kill()
    for path in (server.base / "models").rglob(f"{name}*.safetensors"):
        if "styles" not in path.parent.name:
            StyleGAN.load(path)
    assert state_of(server.base, name)[1]["step"] >= saved
    server.start()
    server.wait_until_up()
    entry = server.queue(training("fine_tune", name))
    assert entry["status"]["status_str"] == "success", entry["status"]
    assert_same_run((in_process[0], "fine_tune"), (server.base, name))
