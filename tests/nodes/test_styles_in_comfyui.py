"""Save Style and Load Style in a real ComfyUI server; run as test_in_comfyui.py says."""

from __future__ import annotations

from io import BytesIO
from urllib.error import HTTPError
from urllib.parse import urlencode

import numpy as np
import pytest
from comfyui_server import COMFYUI
from PIL import Image

from brushwork.base.shipped import STYLES_DIR
from brushwork.models.style_file import read_style, style_fingerprint

if not COMFYUI:
    pytest.skip("COMFYUI_PATH is not set to a ComfyUI checkout", allow_module_level=True)

GAN = {"class_type": "LoadStyleGAN", "inputs": {"checkpoint": "brushwork_default.safetensors"}}


@pytest.fixture(scope="module")
def folder(server):
    return server.base / "models" / "brushwork_styles"


@pytest.fixture(scope="module", autouse=True)
def uploaded(server, inputs_dir, tmp_path_factory):
    """A photo and a painting of 96 pixels in the server's input folder."""
    for name in ("photo-portrait-astronaut.jpg", "art-hokusai-great-wave.jpg"):
        path = tmp_path_factory.mktemp("small") / name
        with Image.open(inputs_dir / name) as picture:
            picture.thumbnail((96, 96))
            picture.save(path)
        server.upload(path)


def saving(**inputs):
    """Encode the painting and save its style."""
    given = {"style": ["3", 0], "artist": "", "licence": "", "overwrite": False, "style_gan": ["1", 0]}
    return {
        "1": GAN,
        "2": {"class_type": "LoadImage", "inputs": {"image": "art-hokusai-great-wave.jpg"}},
        "3": {
            "class_type": "EncodeStyle",
            "inputs": {"style_gan": ["1", 0], "image": ["2", 0], "average": False},
        },
        "4": {"class_type": "SaveStyle", "inputs": given | inputs},
    }


def painting(style_name):
    """Paint the photo in a style that was saved."""
    return {
        "1": GAN,
        "2": {"class_type": "LoadImage", "inputs": {"image": "photo-portrait-astronaut.jpg"}},
        "3": {"class_type": "EncodeContent", "inputs": {"style_gan": ["1", 0], "image": ["2", 0]}},
        "4": {"class_type": "LoadStyle", "inputs": {"style_name": style_name}},
        "5": {
            "class_type": "Generate",
            "inputs": {
                "style_gan": ["1", 0],
                "content": ["3", 0],
                "style": ["4", 0],
                "strength": 1.0,
                "preserve_color": "off",
            },
        },
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "painted"}},
    }


def choices(server):
    return server.get_json("/object_info/LoadStyle")["LoadStyle"]["input"]["required"]["style_name"][1]


def test_a_saved_style_is_listed_without_a_restart_and_paints(server, folder, gan):
    library = [f"library/{path.stem}" for path in sorted(STYLES_DIR.glob("*.safetensors"))]
    before = choices(server)
    assert before["options"][: len(library)] == library
    entry = server.queue(saving(style_name="mine/wave ★", artist="Hokusai"))
    assert entry["status"]["status_str"] == "success", entry["status"]
    assert choices(server)["options"] == [*before["options"], "mine/wave ★.safetensors"]
    style = read_style(folder / "mine" / "wave ★.safetensors")
    assert (style.name, style.artist, style.encoder) == ("wave ★", "Hokusai", style_fingerprint(gan))
    entry = server.queue(painting("mine/wave ★.safetensors"))
    assert entry["status"]["status_str"] == "success", entry["status"]
    # The page shows the thumbnail as soon as the style is chosen, from here.
    picture = server.get("/brushwork/style_picture?" + urlencode({"name": "mine/wave ★.safetensors"}))
    with Image.open(BytesIO(picture)) as thumbnail:
        assert thumbnail.size[0] == 160


def test_thumbnails_are_shown_on_the_node(server):
    entry = server.queue(saving(style_name="shown"))
    shown = next(server.pictures(entry))
    assert shown.shape == (160, 160, 3)
    assert shown.std() > 10
    assert entry["outputs"]["4"]["styles"] == [
        {"filename": "shown.safetensors", "subfolder": "", "type": "brushwork_styles"}
    ]


def test_a_second_file_gets_a_number_unless_told_otherwise(server, folder):
    server.queue(saving(style_name="twice", artist="1"))
    server.queue(saving(style_name="twice", artist="2"))
    server.queue(saving(style_name="twice", artist="3", overwrite=True))
    found = {path.stem: read_style(path).artist for path in folder.glob("twice*.safetensors")}
    assert found == {"twice": "3", "twice_2": "2"}


def test_a_replaced_style_is_read_again(server):
    server.queue(saving(style_name="changing", overwrite=True))
    first = server.queue(painting("changing.safetensors"))
    cached = dict(server.queue(painting("changing.safetensors"))["status"]["messages"])["execution_cached"]
    assert "4" in cached["nodes"]
    inverted = saving(style_name="changing", overwrite=True)
    inverted["5"] = {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}}
    inverted["3"]["inputs"]["image"] = ["5", 0]
    server.queue(inverted)
    second = server.queue(painting("changing.safetensors"))
    assert np.abs(list(server.pictures(first))[-1] - list(server.pictures(second))[-1]).mean() > 10


def test_every_library_style_paints(server):
    pictures = []
    for name in [name for name in choices(server)["options"] if name.startswith("library/")]:
        entry = server.queue(painting(name))
        assert entry["status"]["status_str"] == "success", entry["status"]
        pictures.append(next(server.pictures({"outputs": {"6": entry["outputs"]["6"]}})))
    for i, picture in enumerate(pictures):
        assert all(np.abs(picture - other).mean() > 2 for other in pictures[:i])
    assert "the style was made with another" not in server.log.read_text()


def test_a_lost_style_is_refused_before_it_runs(server):
    with pytest.raises(HTTPError) as refused:
        server.queue(painting("lost.safetensors"))
    assert refused.value.code == 400
    assert (
        "There is no style 'lost.safetensors'; put the file into ComfyUI's folder models/brushwork_styles"
        in refused.value.read().decode()
    )


def test_a_name_that_leaves_the_folder_is_refused(server, folder):
    status = server.queue(saving(style_name="../outside"))["status"]
    error = dict(status["messages"])["execution_error"]
    assert (status["status_str"], error["node_id"]) == ("error", "4")
    assert error["exception_message"].startswith("style_name is '../outside'; give a name")
    assert not list(folder.parent.rglob("outside*"))


def test_a_damaged_file_says_what_is_wrong(server, folder):
    server.queue(saving(style_name="whole"))
    (folder / "cut.safetensors").write_bytes((folder / "whole.safetensors").read_bytes()[:3000])
    error = dict(server.queue(painting("cut.safetensors"))["status"]["messages"])["execution_error"]
    assert error["exception_message"].startswith("cut.safetensors is cut short or damaged at 3000 bytes")
