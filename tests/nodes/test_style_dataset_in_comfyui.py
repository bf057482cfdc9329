"""StyleDataset in a real ComfyUI server; run as test_in_comfyui.py says."""

from __future__ import annotations

import json
import os
import time
from urllib.error import HTTPError

import pytest
from comfyui_server import COMFYUI, RUN_SECONDS
from PIL import Image

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)


@pytest.fixture(scope="module")
def art(server, inputs_dir):
    """Six paintings in the folder `my art` of the server's input folder; one also in the folder itself."""
    folder = server.base / "input" / "my art"
    folder.mkdir()
    for path in inputs_dir.glob("art-*.jpg"):
        (folder / path.name).write_bytes(path.read_bytes())
    server.upload(inputs_dir / "art-hokusai-great-wave.jpg")
    return folder


def looking(folder, **inputs):
    """Look a folder over and show the report."""
    given = {"folder": folder, "min_side": 128, "validation_share": 0.15} | inputs
    return {
        "1": {"class_type": "StyleDataset", "inputs": given},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }


def report(entry):
    assert entry["status"]["status_str"] == "success", entry["status"]
    return entry["outputs"]["2"]["text"][0]


def cached(entry):
    return dict(entry["status"]["messages"])["execution_cached"]["nodes"]


def test_report_and_sheet_are_shown(server, art):
    entry = server.queue(looking(' "my art" '))
    assert "pictures    6 (JPEG 6)" in report(entry)
    assert "split       train 5, val 1" in report(entry)
    sheet = next(server.pictures({"outputs": {"1": entry["outputs"]["1"]}}))
    assert entry["outputs"]["1"]["images"][0]["type"] == "temp"
    assert min(sheet.shape[:2]) > 600
    assert sheet.std() > 20


def test_a_batch_joins_the_folder_and_the_sheet_is_an_image(server, art):
    workflow = looking(str(art), images=["3", 0])
    workflow["3"] = {"class_type": "LoadImage", "inputs": {"image": "art-hokusai-great-wave.jpg"}}
    workflow["4"] = {"class_type": "SaveImage", "inputs": {"images": ["1", 1], "filename_prefix": "sheet"}}
    entry = server.queue(workflow)
    assert "#2 art-hokusai-great-wave.jpg ~ #7 image 1" in report(entry)
    shown, saved = (next(server.pictures({"outputs": {n: entry["outputs"][n]}})) for n in ("1", "4"))
    assert (shown == saved).all()


def test_the_cache_holds_until_a_picture_changes(server, art):
    server.queue(looking("my art"))
    assert "1" in cached(server.queue(looking("my art")))
    Image.new("RGB", (300, 300), "#808080").save(art / "new.png")
    try:
        entry = server.queue(looking("my art"))
        assert "1" not in cached(entry)
        assert "pictures    7" in report(entry)
        assert "WARNING: 1 picture of nearly one colour" in report(entry)
    finally:
        (art / "new.png").unlink()


def test_a_folder_that_is_missing_is_refused_before_it_runs(server):
    with pytest.raises(HTTPError) as refused:
        server.queue(looking("lost"))
    assert refused.value.code == 400
    text = json.loads(refused.value.read())
    message = text["node_errors"]["1"]["errors"][0]["details"]
    assert f"There is no folder 'lost': looked for {server.base / 'input' / 'lost'}." in message


def test_nothing_given_is_told(server):
    status = server.queue(looking(""))["status"]
    error = dict(status["messages"])["execution_error"]
    assert error["exception_message"].startswith("There is nothing to look at; name a folder, or connect")


def test_cancel_stops_in_the_middle_of_a_large_folder(server, art):
    """Twenty thousand pictures would take minutes."""
    many = server.base / "input" / "many"
    many.mkdir()
    for i in range(20_000):
        os.link(art / "art-hokusai-great-wave.jpg", many / f"{i}.jpg")
    body = json.dumps({"prompt": looking("many")}).encode()
    id_ = server.post("/prompt", body)["prompt_id"]
    deadline = time.monotonic() + RUN_SECONDS
    while id_ not in (history := server.get_json(f"/history/{id_}")):
        assert time.monotonic() < deadline, server.tail()
        time.sleep(1)
        server.post("/interrupt", b"{}")
    interrupted = dict(history[id_]["status"]["messages"])["execution_interrupted"]
    assert interrupted["node_id"] == "1"
    # The server is free for the next one.
    assert "pictures    6" in report(server.queue(looking("my art")))
