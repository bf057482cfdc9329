"""docs/python.md: its examples run, one after the other, as a reader would paste them."""

from __future__ import annotations

import re
import runpy

import pytest
import torch
from markdown_files import ROOT, read
from PIL import Image

import brushwork

PAGE = read(ROOT / "docs" / "python.md")
EXAMPLES = re.findall(r"^```python\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
INPUTS = ROOT / "workflows" / "inputs"


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What the examples have made."""
    folder = tmp_path_factory.mktemp("python_page")
    for name, source in (("photo", "photo-city-singapore"), ("painting", "art-hokusai-great-wave")):
        with Image.open(INPUTS / f"{source}.jpg") as picture:
            # The widest view of the network is much smaller.
            picture.resize((240, 168)).save(folder / f"{name}.jpg")
    script = folder / "examples.py"
    script.write_text("\n".join(EXAMPLES), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return runpy.run_path(str(script)) | {"folder": folder}


def test_there_are_examples():
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("name", ["picture", "soft", "again", "both"])
def test_paintings_have_the_photos_size_and_are_painted(names, name):
    painted, photo = names[name], names["photo"]
    assert painted.shape == photo.shape
    assert 0.02 < (painted - photo).abs().mean() < 0.5


def test_batches_codes_and_files_are_as_the_page_says(names):
    assert names["others"].shape == (4, *names["photo"].shape[1:])
    assert names["style"].dim() == 3
    assert names["blend"].shape == names["strokes_and_colors"].shape == names["style"].shape
    assert len(names["frames"]) == 6
    assert len(list(names["folder"].glob("frame_*.png"))) == 6
    assert (names["folder"] / "painted.png").is_file()
    assert (names["saved"].name, names["saved"].artist) == ("Mine", "Me")
    torch.testing.assert_close(names["saved"].code[None], names["style"], atol=2e-2, rtol=2e-3)
    plain = names["gan"].generate(names["content"], names["style"])
    changed = (names["both"] - plain).abs().mean((0, 1, 3))
    middle = len(changed) // 2
    assert changed[:middle].mean() > 2 * changed[middle:].mean()
    assert (names["other"] - plain).abs().mean() > 1e-3
    assert len(names["painted"]) == 4
    assert [outcome.result.value for outcome in names["outcomes"]] == ["painted", "painted"]
    assert sorted(path.name for path in (names["folder"] / "painted").iterdir()) == [
        "photo__painting.jpg",
        "photo__random-7.jpg",
    ]


def test_every_name_of_the_page_is_public(names):
    listed = re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE)))
    assert len(listed) == 8
    for name in listed:
        assert getattr(brushwork, name) is names[name]
