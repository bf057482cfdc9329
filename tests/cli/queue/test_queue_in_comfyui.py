"""`brushwork queue` on two real ComfyUI servers; run as tests/nodes/test_in_comfyui.py says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest
from comfyui_server import COMFYUI, ComfyUIServer
from PIL import Image

from brushwork.base.shipped import WORKFLOWS_DIR
from brushwork.cli import main as cli

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)

WAIT_SECONDS = 240


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    both = [ComfyUIServer(tmp_path_factory.mktemp("comfyui") / "base") for _ in range(2)]
    try:
        for server in both:
            server.start()
        for server in both:
            server.wait_until_up()
        yield both
    finally:
        for server in both:
            server.stop()


@pytest.fixture(scope="module")
def small(inputs_dir, tmp_path_factory):
    """Six photos and six paintings of 96 pixels, in two folders."""
    folder = tmp_path_factory.mktemp("small")
    for path in inputs_dir.glob("*.jpg"):
        target = folder / path.name.split("-")[0]
        target.mkdir(exist_ok=True)
        with Image.open(path) as picture:
            picture.thumbnail((96, 96))
            picture.save(target / path.name)
    return folder


@pytest.fixture
def command(servers, tmp_path):
    """The arguments of a run on both servers; results go to `out`."""

    def build(*more, content, style=None, workflow="stylize_photo"):
        given = ["queue", workflow, "--content", str(content), "--out", str(tmp_path / "out")]
        given += ["--style", str(style)] if style else []
        return [*given, *(f"--server={server.url}" for server in servers), *map(str, more)]

    return build


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def pictures(out):
    return sorted(path.name for path in out.glob("*.png"))


def manifest(out):
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def start(arguments):
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", cli.__name__, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(what, process):
    deadline = time.monotonic() + WAIT_SECONDS
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_with_each_on_both_servers(servers, command, small, out, capsys):
    arguments = command(content=small / "photo", style=small / "art" / "art-[hm]*.jpg")
    assert cli.main(arguments) == 0
    printed, said = capsys.readouterr()
    names = [
        f"{photo.stem}__{art.stem}.png"
        for photo in sorted((small / "photo").iterdir())
        for art in sorted((small / "art").glob("art-[hm]*.jpg"))
    ]
    assert pictures(out) == sorted(names)
    assert sorted(printed.split()) == [str(out / name) for name in sorted(names)]
    assert "12 painted" in said
    lines = manifest(out)
    assert Counter(line["files"][0] for line in lines) == Counter(names)
    assert {line["server"] for line in lines} == {server.url for server in servers}
    assert all(line["seconds"] > 0 and line["attempt"] == 1 and len(line["sha256"]) == 2 for line in lines)


def test_the_pictures_are_the_workflows(command, small, out, capsys):
    photo, art = small / "photo" / "photo-city-singapore.jpg", small / "art" / "art-hokusai-great-wave.jpg"
    assert cli.main(command("--set", "Generate.strength=0.8", content=photo, style=art)) == 0
    rendered = out.parent / "rendered"
    render = ["render", "stylize_photo", "--set", "Generate.strength=0.8", "--output-dir", str(rendered)]
    assert cli.main([*render, "--set", f"Photo.image={photo}", "--set", f"Painting.image={art}"]) == 0
    first, second = (
        np.asarray(Image.open(path)).astype(int)
        for path in (out / f"{photo.stem}__{art.stem}.png", next(rendered.glob("*.png")))
    )
    assert np.abs(first - second).max() <= 2
    assert manifest(out)[0]["settings"] == ["Generate.strength=0.8"]


def test_a_second_run_skips_what_is_there(command, small, out, capsys):
    arguments = command(content=small / "photo", style=small / "art", workflow="stylize_photo")
    zipped = [*arguments, "--pairs", "zip"]
    assert cli.main(zipped) == 0
    names = pictures(out)
    assert len(names) == 6
    (out / names[0]).unlink()
    capsys.readouterr()
    assert cli.main(zipped) == 0
    printed, said = capsys.readouterr()
    assert printed.split() == [str(out / names[0])]
    assert "5 of 6 are there already." in said
    assert cli.main(zipped) == 0
    assert capsys.readouterr().out == ""
    assert pictures(out) == names
    assert len(manifest(out)) == 7


def test_other_settings_do_not_pass_for_the_same(command, small, out, capsys):
    photo, art = small / "photo" / "photo-animal-otters.jpg", small / "art" / "art-engraving-dore.jpg"
    file = out / f"{photo.stem}__{art.stem}.png"
    assert cli.main(command(content=photo, style=art)) == 0
    before = file.read_bytes()
    assert cli.main(command("--set", "Generate.strength=0.2", content=photo, style=art)) == 2
    assert "Other settings or pictures made 1 result in" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert cli.main(command("--set", "Generate.strength=0.2", "--overwrite", content=photo, style=art)) == 0
    assert file.read_bytes() != before


def test_several_pictures_of_one_job(command, small, out, capsys):
    photo = small / "photo" / "photo-animal-otters.jpg"
    assert cli.main(command(content=photo, workflow="random_style")) == 0
    stem = "photo-animal-otters"
    assert pictures(out) == [f"{stem}.png", f"{stem}~2.png", f"{stem}~3.png", f"{stem}~4.png"]
    assert manifest(out)[0]["seeds"] == {"4.seed": 7, "5.seed": 0}


def test_a_broken_picture_does_not_stop_the_others(command, small, out, tmp_path, capsys):
    content = tmp_path / "content"
    content.mkdir()
    whole = (small / "photo" / "photo-animal-otters.jpg").read_bytes()
    (content / "whole.jpg").write_bytes(whole)
    (content / "broken.jpg").write_bytes(whole[:300])
    (content / "other.jpg").write_bytes(whole)
    art = small / "art" / "art-engraving-dore.jpg"
    assert cli.main(command(content=content, style=art)) == 1
    said = capsys.readouterr().err
    assert "failed: broken__art-engraving-dore: LoadImage failed: " in said
    assert "2 painted" in said
    assert "1 failed" in said
    assert pictures(out) == ["other__art-engraving-dore.png", "whole__art-engraving-dore.png"]
    failed = [line for line in manifest(out) if line["status"] == "failed"]
    assert [line["job"] for line in failed] == ["broken__art-engraving-dore"]


def test_a_workflow_that_the_server_refuses_stops_everything(command, small, out, capsys):
    assert (
        cli.main(
            command("--set", "Generate.preserve_color=hue", content=small / "photo", style=small / "art")
        )
        == 2
    )
    said = capsys.readouterr().err
    assert "refuses the workflow: node 6 (Generate): " in said
    assert "preserve_color" in said
    assert pictures(out) == []


def test_no_server(small, tmp_path, capsys):
    arguments = ["queue", "stylize_photo", "--content", str(small / "photo"), "--out", str(tmp_path / "out")]
    assert cli.main([*arguments, "--server", "127.0.0.1:9"]) == 2
    assert "There is no ComfyUI server at http://127.0.0.1:9 (" in capsys.readouterr().err


def test_one_server_that_is_away_does_not_matter(servers, small, out, capsys):
    arguments = ["queue", "random_style", "--content", str(small / "photo"), "--out", str(out)]
    assert cli.main([*arguments, "--server", "127.0.0.1:9", "--server", servers[0].url]) == 0
    assert len(pictures(out)) == 6 * 4


def test_ctrl_c_cancels_only_our_prompts(servers, command, small, inputs_dir, out):
    foreign = [(server, id_) for server in servers for id_ in queue_foreign_prompts(server, inputs_dir)]
    theirs = {id_ for _, id_ in foreign}
    process = start(command(content=small / "photo", style=small / "art"))
    try:
        wait_for(lambda: all(ids(server) - theirs for server in servers), process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "left; the same command goes on from there." in said
    for server in servers:
        assert ids(server) <= theirs
    for server, id_ in foreign:
        deadline = time.monotonic() + WAIT_SECONDS
        while id_ not in (history := server.get_json(f"/history/{id_}")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert history[id_]["status"]["status_str"] == "success"
    assert len(pictures(out)) < 36
    assert cli.main(command(content=small / "photo", style=small / "art")) == 0
    assert len(pictures(out)) == 36
    assert max(Counter(line["job"] for line in manifest(out)).values()) == 1


def queue_foreign_prompts(server, inputs_dir):
    """Somebody else's work, larger than ours; the ids."""
    workflow = json.loads((WORKFLOWS_DIR / "api" / "stylize_photo.json").read_text(encoding="utf-8"))
    for node in ("2", "3"):
        server.upload(inputs_dir / workflow[node]["inputs"]["image"])
    for strength in (0.9, 0.8, 0.7, 0.6):  # were they equal, the second would come from the cache
        workflow["6"]["inputs"]["strength"] = strength
        yield server.post("/prompt", json.dumps({"prompt": workflow}).encode())["prompt_id"]


def ids(server):
    """The prompts that run or wait."""
    queue = server.get_json("/queue")
    return {item[1] for item in queue["queue_running"] + queue["queue_pending"]}


def test_a_server_that_is_killed_loses_nothing(servers, command, small, out):
    process = start(command(content=small / "photo", style=small / "art"))
    try:
        wait_for(lambda: len(pictures(out)) >= 5, process)
        servers[0].kill()
        servers[0].start()
        printed, said = process.communicate(timeout=WAIT_SECONDS)
    finally:
        process.kill()
        servers[0].wait_until_up()
    assert process.returncode == 0, said
    names = pictures(out)
    assert len(names) == 36
    assert sorted(printed.split()) == [str(out / name) for name in names]
    assert Counter(line["files"][0] for line in manifest(out)) == Counter(names)
    assert not list(out.glob(".*.part"))
    for name in names:
        with Image.open(out / name) as picture:
            picture.load()


def test_the_only_server_may_restart(servers, small, out):
    server = servers[1]
    arguments = ["queue", "stylize_photo", "--content", str(small / "photo"), "--style", str(small / "art")]
    process = start([*arguments, "--out", str(out), "--server", server.url])
    try:
        wait_for(lambda: len(pictures(out)) >= 2, process)
        server.kill()
        time.sleep(1)
        server.start()
        _, said = process.communicate(timeout=WAIT_SECONDS)
    finally:
        process.kill()
        server.wait_until_up()
    assert process.returncode == 0, said
    assert len(pictures(out)) == 36
    assert max(Counter(line["job"] for line in manifest(out)).values()) == 1


def test_patience_has_an_end(servers, small, out):
    server = servers[1]  # it stays away, so this test comes last
    arguments = ["queue", "stylize_photo", "--content", str(small / "photo"), "--style", str(small / "art")]
    process = start([*arguments, "--out", str(out), "--server", server.url, "--patience", "1"])
    try:
        wait_for(lambda: len(pictures(out)) >= 2, process)
        server.kill()
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 2
    assert "no server has answered for 1 s" in said
    assert len(pictures(out)) < 36
