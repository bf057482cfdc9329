"""`brushwork render` with styles that are loaded and saved."""

from __future__ import annotations

import os

import numpy as np
import pytest

from brushwork.cli.main import main
from brushwork.models.style_file import read_style


@pytest.fixture
def styled(paint_workflow):
    """One photo, one style of the library."""
    del paint_workflow["2"]
    paint_workflow["4"] = {"class_type": "LoadStyle", "inputs": {}, "_meta": {"title": "Style"}}
    return paint_workflow


@pytest.fixture
def saving(paint_workflow):
    """One painting, its style saved; no picture comes out."""
    for node in ("1", "3", "5", "6"):
        del paint_workflow[node]
    paint_workflow["7"] = {
        "class_type": "SaveStyle",
        "inputs": {"style": ["4", 0], "style_gan": ["gan", 0], "style_name": "mine/wave"},
    }
    return paint_workflow


def test_library_styles_paint(render, styled):
    assert render(styled).code == 0
    other = render(styled, "--set", "Style.style_name=library/hokusai-great-wave")
    assert other.code == 0
    assert np.abs(other.picture("painted_00001_.png") - other.picture("painted_00002_.png")).mean() > 5


def test_a_saved_style_is_printed(render, saving, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    saved = render(saving)
    assert (saved.code, saved.err) == (0, "")
    assert saved.out.splitlines() == [os.path.join("out", "styles", "mine", "wave.safetensors")]
    assert read_style(saved.out.strip()).picture().size == (160, 160)


def test_what_was_saved_paints(render, styled, pictures, tmp_path):
    assert main(["encode", str(pictures / "painting.png"), "--out", str(tmp_path / "out" / "styles")]) == 0
    assert render(styled, "--set", "Style.style_name=painting.safetensors").code == 0


def test_styles_from_another_folder(render, styled, pictures, tmp_path):
    assert main(["encode", str(pictures / "painting.png"), "--out", str(tmp_path / "mine")]) == 0
    options = "--set", "Style.style_name=painting.safetensors"
    assert "There is no style 'painting.safetensors'" in render(styled, *options).err
    assert render(styled, *options, "--styles-dir", str(tmp_path / "mine")).code == 0
    assert (
        "--styles-dir none is not a folder; name one that is there."
        in render(styled, "--styles-dir", "none").err
    )
