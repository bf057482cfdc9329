"""Pictures, pairs, names and prompts of `brushwork queue`; no server."""

from __future__ import annotations

import subprocess
import sys

import pytest

from brushwork.base.shipped import SHIPPED_INPUTS, WORKFLOWS_DIR
from brushwork.cli.errors import CommandError
from brushwork.cli.pictures import find_pictures
from brushwork.cli.queue.jobs import make_queue_jobs, make_template
from brushwork.cli.queue.manifest import Results, earlier_results
from brushwork.cli.workflow.files import read_workflow
from brushwork.cli.workflow.interface import NodeInterface, read_inputs
from brushwork.nodes import NODES

PICTURE = {"image_upload": True}


@pytest.fixture(scope="module")
def inputs():
    """The inputs of Brushwork's nodes and of two of ComfyUI's, as a server lists them."""
    core = {
        "LoadImage": {"required": {"image": [["a.png"], PICTURE]}},
        "SaveImage": {"required": {"images": ["IMAGE"], "filename_prefix": ["STRING", {}]}},
        "ImageScale": {"required": {"image": ["IMAGE"], "width": ["INT", {}]}},
    }
    ours = {name: NodeInterface.from_class(node).inputs for name, node in NODES.items()}
    return ours | {name: read_inputs(types) for name, types in core.items()}


@pytest.fixture
def folder(tmp_path):
    """a.png, b.jpg, sub/a.jpg, notes.txt"""
    (tmp_path / "p" / "sub").mkdir(parents=True)
    for name in ("a.png", "b.jpg", "sub/a.jpg", "notes.txt"):
        (tmp_path / "p" / name).write_bytes(name.encode())
    return tmp_path / "p"


def shipped(name):
    return read_workflow(WORKFLOWS_DIR / "api" / f"{name}.json")


def names(contents, styles=(), pairs="cross"):
    return [job.name for job in make_queue_jobs(list(contents), list(styles), pairs)]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([""], ["a.png", "b.jpg", "sub/a.jpg"]),
        (["*.jpg"], ["b.jpg"]),
        (["**/*.jpg"], ["b.jpg", "sub/a.jpg"]),
        (["a.png"], ["a.png"]),
        (["sub", "b.jpg", "*.jpg"], ["sub/a.jpg", "b.jpg"]),
        (["[1].png"], ["[1].png"]),
    ],
)
def test_pictures_of_folders_patterns_and_files(folder, texts, found):
    if texts == ["[1].png"]:
        (folder / "[1].png").write_bytes(b"1")
    paths = find_pictures([str(folder / text) for text in texts], "--content")
    assert [path.relative_to(folder).as_posix() for path in paths] == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("none", "There is no file or folder .*none; check the name, or give another --style"),
        ("*.gif", r"The pattern .*\*.gif finds no picture; give another --style"),
    ],
)
def test_no_pictures(folder, text, sentence):
    with pytest.raises(CommandError, match=sentence):
        find_pictures([str(folder), str(folder / text)], "--style")


def test_each_with_each(folder):
    a, b = folder / "a.png", folder / "b.jpg"
    assert names([a, b], [a, b]) == ["a__a", "a__b", "b__a", "b__b"]
    assert names([a, b]) == ["a", "b"]


def test_side_by_side(folder):
    a, b = folder / "a.png", folder / "b.jpg"
    assert names([a, b], [b, a], "zip") == ["a__b", "b__a"]
    with pytest.raises(CommandError, match="there are 2 photos and 1 style;"):
        make_queue_jobs([a, b], [a], "zip")


def test_no_two_jobs_share_a_name(folder, monkeypatch):
    same = [folder / "a.png", folder / "sub" / "a.jpg"]
    found = names(same)
    assert len({name.casefold() for name in found}) == 2
    assert all(name.startswith("a-") for name in found)
    tricky = names([folder / "x.png", folder / "x__y.png"], [folder / "y__z.png", folder / "z.png"])
    assert len(set(tricky)) == 4
    assert tricky[1:3] == ["x__z", "x__y__y__z"]
    # The same from wherever the command is run.
    monkeypatch.chdir(folder)
    assert names([path.relative_to(folder) for path in same]) == found


def test_results_among_the_photos_are_no_photos(tmp_path):
    for name in ("p.png", "p__a.png", "p__a~2.jpg", "p__b.png"):
        (tmp_path / name).write_bytes(b"x")
    Results(tmp_path).record({"job": "p__a", "status": "done", "digest": "1"})
    for text in (tmp_path, tmp_path / "p*"):
        found = find_pictures([str(text)], "--content", earlier_results(tmp_path))
        assert [path.name for path in found] == ["p.png", "p__b.png"]
    named = find_pictures([str(tmp_path / "p__a.png")], "--content", earlier_results(tmp_path))
    assert [path.name for path in named] == ["p__a.png"]


def test_long_names_are_cut_but_stay_different(folder):
    long = [folder / f"{'画' * 80}{i}.png" for i in range(2)]
    first, second = names(long, [folder / "a.png"])
    assert first != second
    assert len(first.encode()) < 200
    assert first.startswith("画" * 60 + "-")


def test_the_client_does_without_pytorch(tmp_path):
    """It only sends pictures: 500 MB less for each that runs."""
    code = (
        "import sys; from brushwork.cli.main import main; main(sys.argv[1:]); "
        "assert 'httpx' in sys.modules; assert 'torch' not in sys.modules"
    )
    arguments = ["queue", "stylize_photo", "--content", str(SHIPPED_INPUTS), "--server", "127.0.0.1:9"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "There is no ComfyUI server at http://127.0.0.1:9" in done.stderr


def test_the_pictures_go_where_they_are_encoded(inputs):
    template = make_template(shipped("stylize_photo"), inputs, None, None, with_style=True)
    assert (template.content, template.style) == (("2", "image"), ("3", "image"))
    assert make_template(shipped("mix_three_styles"), inputs, None, None, with_style=False).content[0] == "2"


def test_named_nodes(inputs):
    template = make_template(shipped("mix_three_styles"), inputs, None, "Painting 2", with_style=True)
    assert template.style == ("4", "image")


@pytest.mark.parametrize(
    ("content", "style", "message"),
    [
        (
            None,
            None,
            "workflow has 3 (Painting 1), 4 (Painting 2), 5 (Painting 3); name the node with --style-node",
        ),
        (None, "Mix", "--style-node Mix loads no picture; name a LoadImage node."),
        (None, "Lost", "--style-node: there is no node 'Lost'"),
        ("3", "3", "Node 3 would load the photo and the painting"),
    ],
)
def test_nodes_that_are_not_clear(inputs, content, style, message):
    with pytest.raises(CommandError) as caught:
        make_template(shipped("mix_three_styles"), inputs, content, style, with_style=True)
    assert message in str(caught.value)


def test_a_server_without_our_nodes(inputs):
    with pytest.raises(CommandError, match="The server has no node Generate; install its pack there"):
        make_template(
            shipped("stylize_photo"), {k: v for k, v in inputs.items() if k != "Generate"}, None, None, True
        )


def test_the_prompt(inputs, folder):
    template = make_template(shipped("stylize_photo"), inputs, None, None, with_style=True)
    (job,) = make_queue_jobs([folder / "a.png"], [folder / "b.jpg"], "cross")
    prompt = template.prompt(job, ["up/1.png", "up/2.jpg"], attempt=1)
    assert prompt["2"]["inputs"]["image"] == "up/1.png"
    assert prompt["3"]["inputs"]["image"] == "up/2.jpg"
    assert prompt["7"]["inputs"]["filename_prefix"] == "brushwork_photo_a__b"
    again = template.prompt(job, ["up/1.png", "up/2.jpg"], attempt=2)
    assert again["7"]["inputs"]["filename_prefix"] == "brushwork_photo_a__b_try2"
    assert template.nodes["7"]["inputs"]["filename_prefix"] == "brushwork_photo"


def test_the_digest_tells_settings_and_pictures_apart(inputs):
    workflow = shipped("stylize_photo")
    template = make_template(workflow, inputs, None, None, with_style=True)
    assert template.digest(["1", "2"]) == template.digest(["1", "2"]) != template.digest(["2", "1"])
    workflow["2"].inputs["image"] = "another.jpg"
    workflow["2"].title = "My photo"
    assert make_template(workflow, inputs, None, None, True).digest(["1", "2"]) == template.digest(["1", "2"])
    workflow["6"].inputs["strength"] = 0.5
    assert make_template(workflow, inputs, None, None, True).digest(["1", "2"]) != template.digest(["1", "2"])


def test_seeds(inputs):
    template = make_template(shipped("random_style"), inputs, None, None, with_style=False)
    assert template.seeds == {"4.seed": 7, "5.seed": 0}
    assert template.title("4") == "Random style"
    assert template.title("99") == "99"
