"""`brushwork render`: what it writes and prints, --set in all its forms, folders, metadata."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.cli import main
from brushwork.models import StyleGAN


def test_it_prints_what_it_wrote(render, copy_workflow, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = render(copy_workflow)
    assert result.code == 0
    assert result.out.splitlines() == [os.path.join("out", "copy_00001_.png")]
    assert result.err == ""
    assert result.files == ["copy_00001_.png"]


def test_nothing_is_overwritten(render, copy_workflow):
    render(copy_workflow)
    assert render(copy_workflow).files == ["copy_00001_.png", "copy_00002_.png"]


def test_the_picture_is_the_networks_own(render, paint_workflow, gan, pictures):
    result = render(paint_workflow)
    assert result.code == 0
    photo, painting = (
        torch.from_numpy(np.array(Image.open(pictures / name))).permute(2, 0, 1)[None] / 255
        for name in ("photo.png", "painting.png")
    )
    expected = gan.stylize(photo, painting)[0].permute(1, 2, 0).detach().numpy() * 255
    assert np.abs(result.picture("painted_00001_.png") - expected).max() < 1.5


@pytest.mark.parametrize("node", ["5", "Generate", "generate"])
def test_set_by_id_and_class(render, paint_workflow, pictures, node):
    result = render(paint_workflow, "--set", f"{node}.strength=0")
    photo = np.asarray(Image.open(pictures / "photo.png")).astype(int)
    assert np.abs(result.picture("painted_00001_.png") - photo).max() <= 1


@pytest.mark.parametrize("node", ["Photo", "photo", "1"])
def test_set_by_title(render, paint_workflow, node):
    result = render(paint_workflow, "--set", f"{node}.image=painting.png")
    assert result.picture("painted_00001_.png").shape == (32, 32, 3)


def test_set_with_dots_and_equal_signs(render, paint_workflow, pictures):
    Image.new("RGB", (20, 20), "red").save(pictures / "a=b.png")
    result = render(
        paint_workflow, "--set", "Art. One.image=a=b.png", "--set", "EncodeStyle.average=yes", "--set",
        "SaveImage.filename_prefix=sub/x.y",
    )  # fmt: skip
    assert (result.code, result.err) == (0, "")
    assert (result.folder / "sub" / "x.y_00001_.png").is_file()


def test_the_last_set_wins(render, copy_workflow):
    result = render(copy_workflow, "--set", "2.filename_prefix=a", "--set", "2.filename_prefix=b")
    assert result.files == ["b_00001_.png"]


def test_pictures_may_lie_in_the_current_folder(render, copy_workflow, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    Image.new("RGB", (5, 4)).save(tmp_path / "here" / "mine.png")
    monkeypatch.chdir(tmp_path / "here")
    assert render(copy_workflow, "--set", "photo.image=mine.png").picture("copy_00001_.png").shape == (
        4,
        5,
        3,
    )


def test_pictures_may_lie_in_subfolders_and_anywhere(render, copy_workflow, pictures, tmp_path):
    (pictures / "sub dir").mkdir()
    Image.new("RGB", (5, 4)).save(pictures / "sub dir" / "a b.png")
    Image.new("RGB", (7, 6)).save(tmp_path / "far.png")
    sub = render(copy_workflow, "--set", "photo.image=sub dir/a b.png")
    assert sub.picture("copy_00001_.png").shape == (4, 5, 3)
    far = render(copy_workflow, "--set", f"photo.image={tmp_path / 'far.png'}")
    assert far.picture("copy_00002_.png").shape == (6, 7, 3)


def test_results_can_be_read_back(render, copy_workflow):
    render(copy_workflow)
    again = render(copy_workflow, "--set", "photo.image=copy_00001_.png [output]")
    assert np.array_equal(again.picture("copy_00001_.png"), again.picture("copy_00002_.png"))


def test_photos_are_turned_upright(render, copy_workflow, pictures):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.new("RGB", (30, 10)).save(pictures / "turned.jpg", exif=exif)
    result = render(copy_workflow, "--set", "photo.image=turned.jpg")
    assert result.picture("copy_00001_.png").shape == (30, 10, 3)


def test_sixteen_bits_keep_their_brightness(render, copy_workflow, pictures):
    Image.fromarray(np.full((4, 4), 128 * 257, dtype=np.uint16)).save(pictures / "deep.png")
    result = render(copy_workflow, "--set", "photo.image=deep.png")
    assert np.abs(result.picture("copy_00001_.png") - 128).max() <= 1


def test_metadata_holds_the_workflow_without_folders(render, copy_workflow, tmp_path):
    Image.new("RGB", (7, 6)).save(tmp_path / "far.png")
    result = render(copy_workflow, "--set", f"photo.image={tmp_path / 'far.png'}")
    with Image.open(result.folder / "copy_00001_.png") as file:
        prompt = json.loads(file.text["prompt"])
    assert prompt["1"]["inputs"]["image"] == "far.png"
    assert prompt["2"]["class_type"] == "SaveImage"


def test_several_outputs_and_core_nodes(render, copy_workflow):
    copy_workflow |= {
        "3": {"class_type": "LoadImage", "inputs": {"image": "painting.png"}},
        "4": {"class_type": "ImageBatch", "inputs": {"image1": ["1", 0], "image2": ["3", 0]}},
        "5": {
            "class_type": "ImageScale",
            "inputs": {
                "image": ["4", 0],
                "upscale_method": "area",
                "width": 8,
                "height": 6,
                "crop": "center",
            },
        },
        "6": {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}},
    }
    result = render(copy_workflow)
    assert len(result.out.splitlines()) == 3
    assert result.picture("ComfyUI_00002_.png").shape == (6, 8, 3)


def test_nodes_that_nothing_needs_are_not_run(render, copy_workflow, pictures):
    (pictures / "broken.png").write_bytes(b"no picture")
    copy_workflow["9"] = {"class_type": "LoadImage", "inputs": {"image": "broken.png"}}
    assert render(copy_workflow).code == 0


def test_old_exports_name_the_upload_button(render, copy_workflow):
    copy_workflow["1"]["inputs"]["upload"] = "image"
    assert render(copy_workflow).code == 0


def test_own_checkpoints(render, paint_workflow, tmp_path):
    (tmp_path / "nets").mkdir()
    StyleGAN.default().save(tmp_path / "nets" / "mine.safetensors")
    options = "--set", "gan.checkpoint=mine.safetensors", "--models-dir", str(tmp_path / "nets")
    assert render(paint_workflow, *options).code == 0


def test_from_any_folder_as_its_own_process(tmp_path):
    """As a newcomer types it: a shipped workflow by name, the default folders."""
    command = [
        sys.executable,
        "-m",
        main.__name__,
        "render",
        "stylize_photo",
        "--set",
        "Generate.strength=0.9",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [os.path.join("output", "brushwork_photo_00001_.png")]
    assert [path.name for path in tmp_path.iterdir()] == ["output"]
    with Image.open(tmp_path / done.stdout.strip()) as picture:
        assert picture.size == (768, 432)
