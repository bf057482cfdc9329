"""The pack in a real ComfyUI server.

    COMFYUI_PATH=… COMFYUI_PYTHON=… pytest -c tests/pytest.ini tests/nodes/test_in_comfyui.py

COMFYUI_PATH is a checkout; COMFYUI_PYTHON the interpreter that has its requirements, by default this one.
"""

from __future__ import annotations

import json
import pickle
from urllib.error import HTTPError
from urllib.parse import urlencode

import numpy as np
import pytest
from comfyui_server import COMFYUI
from film_clips import decoded, film_frames, packets, write_film
from PIL import Image

from brushwork.base.shipped import SHIPPED_INPUTS, WORKFLOWS_DIR
from brushwork.cli.main import main
from brushwork.nodes import NODES

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)
# The others need a ComfyUI and are run in its page, in tests/browser.
WORKFLOWS = [
    WORKFLOWS_DIR / "api" / f"{n}.json" for n in ("stylize_photo", "mix_three_styles", "random_style")
]


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
    assert "Brushwork" not in log  # Brushwork's own warnings begin with it


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


def test_a_seed_repaints_when_it_changes_and_only_then(server, small_inputs):
    workflow = read(WORKFLOWS_DIR / "api" / "stylize_photo.json")
    for node in ("2", "3"):
        server.upload(small_inputs / workflow[node]["inputs"]["image"])
    # A prompt from before Generate had a seed is painted with the default.
    del workflow["6"]["inputs"]["seed"]
    old = server.queue(workflow)
    assert old["status"]["status_str"] == "success", old["status"]
    (before,) = server.pictures(old)
    workflow["6"]["inputs"]["seed"] = 3
    (first,) = server.pictures(server.queue(workflow))
    again = server.queue(workflow)
    assert set(dict(again["status"]["messages"])["execution_cached"]["nodes"]) == set(workflow)
    workflow["6"]["inputs"]["seed"] = 4
    other = server.queue(workflow)
    assert sorted(dict(other["status"]["messages"])["execution_cached"]["nodes"]) == ["1", "2", "3", "4", "5"]
    (second,) = server.pictures(other)
    for a, b in ((before, first), (first, second)):
        assert np.abs(a - b).mean() > 0.3


def test_a_film_is_painted_with_its_sound(server, tmp_path):
    film = write_film(server.base / "input" / "film.mp4", film_frames((3, 2), (64, 48)))
    workflow = read(WORKFLOWS_DIR / "api" / "paint_film.json")
    workflow["3"]["inputs"]["file"] = film.name
    entry = server.queue(workflow)
    assert entry["status"]["status_str"] == "success", entry["status"]
    (saved,) = entry["outputs"]["6"]["images"]
    painted = tmp_path / saved["filename"]
    painted.write_bytes(server.get("/view?" + urlencode(saved)))
    assert decoded(painted)[0] == decoded(film)[0]
    assert packets(painted, "audio") == packets(film, "audio")
    for frame, photo in zip(decoded(painted)[1], decoded(film)[1], strict=True):
        assert np.abs(frame.astype(int) - photo).mean() > 10


def test_frames_of_a_film_are_asked_for_at_the_other_output(server):
    film = write_film(server.base / "input" / "film.mp4", film_frames((2,), (64, 48)))
    workflow = read(WORKFLOWS_DIR / "api" / "paint_film.json")
    workflow["3"]["inputs"]["file"] = film.name
    workflow["6"] = {
        "class_type": "PreviewImage",
        "inputs": {"images": ["5", 0]},
        "_meta": {"title": "Wrong"},
    }
    entry = server.queue(workflow)
    assert "6" not in entry["outputs"]


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
    assert error["exception_message"].startswith("own.safetensors is not a safetensors file: it is a pickled")


def test_a_video_is_painted_steadily(server, small_inputs):
    photo, painting = "photo-city-singapore.jpg", "art-vangogh-starry-night.jpg"
    for name in (photo, painting):
        server.upload(small_inputs / name)
    still = {"class_type": "RepeatImageBatch", "inputs": {"image": ["2", 0], "amount": 3}}
    video = {"style_gan": ["1", 0], "frames": ["4", 0], "style": ["5", 0], "strength": 1.0}
    video |= {"preserve_color": "off", "statistics": "clip", "window": 25, "follow": 0.9}
    workflow = {
        "1": {"class_type": "LoadStyleGAN", "inputs": {"checkpoint": "brushwork_default.safetensors"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": photo}},
        "3": {"class_type": "LoadImage", "inputs": {"image": painting}},
        "4": still,
        "5": {
            "class_type": "EncodeStyle",
            "inputs": {"style_gan": ["1", 0], "image": ["3", 0], "average": False, "stroke_size": 1.0},
        },
        "6": {"class_type": "PaintVideo", "inputs": video},
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "video"}},
    }
    entry = server.queue(workflow)
    assert entry["status"]["status_str"] == "success", entry["status"]
    frames = list(server.pictures(entry))
    assert len(frames) == 3
    assert frames[0].std() > 10
    assert all(np.abs(frame - frames[0]).max() <= 1 for frame in frames)
    workflow["6"]["inputs"]["statistics"] = "scene"
    with pytest.raises(HTTPError) as refused:
        server.queue(workflow)
    assert "statistics" in refused.value.read().decode()


def test_translations_and_help_are_served(server):
    node_defs = server.get_json("/i18n")["zh"]["nodeDefs"]
    assert node_defs.keys() >= NODES.keys()
    for node_id in NODES:
        for page in (f"{node_id}.md", f"{node_id}/zh.md"):
            assert server.get(f"/extensions/brushwork/docs/{page}").startswith(b"# ")
