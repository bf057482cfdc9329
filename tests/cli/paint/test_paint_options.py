"""`brushwork paint`: tiles, looks, seeds and styles, as the results have them."""

from __future__ import annotations

import numpy as np
import pytest
from painted_files import files
from PIL import Image

from brushwork.base.shipped import STYLES_DIR
from brushwork.pictures.metadata import read_settings

pytestmark = pytest.mark.usefixtures("slim_loss_network")


def test_tiles_change_nothing_that_is_seen(paint, pictures):
    with Image.open(pictures / "photo.png") as image:
        image.resize((131, 157)).save(pictures / "larger.png")
    for tile in (0, 64):
        out = ("--tile", tile, "--out", f"{tile}.png")
        assert paint("larger.png", "--style", "painting.png", *out)[0] == 0
    whole, tiled = (np.asarray(Image.open(pictures / f"{tile}.png"), int) for tile in (0, 64))
    assert np.abs(whole - tiled).max() <= 1
    assert read_settings(pictures / "0.png") == read_settings(pictures / "64.png")


def test_tiles_of_refining(paint, pictures):
    refine = ("--refine", "draft", "--steps", 2, "--tile", 72, "--out", "refined.png")
    assert paint("photo.png", "--style", "painting.png", *refine)[0] == 0
    assert read_settings(pictures / "refined.png")["refine"]["tile"] == 72


def test_options_arrive(paint, pictures):
    looks = ("--strength", 0.7, "--preserve-color", "histogram", "--stroke-size", 0.5)
    assert paint("photo.png", "--style", "painting.png", *looks, "--device", "cpu")[0] == 0
    settings = read_settings(pictures / "painted/photo__painting.png")
    assert (settings["strength"], settings["preserve_color"], settings["stroke_size"]) == (
        0.7,
        "histogram",
        0.5,
    )
    assert "refine" not in settings
    refine = ("--refine", "draft", "--steps", 2, "--keep-calm", 3, "--out", "refined.png")
    assert paint("photo.png", "--style", "painting.png", *refine)[0] == 0
    refined = read_settings(pictures / "refined.png")["refine"]
    assert (refined["quality"], refined["steps"], refined["keep_calm"]) == ("draft", 2, 3)
    assert refined["content_weight"] == 1


def test_random_styles_are_told_apart_by_their_seeds(paint, pictures):
    assert paint("photo.png", "--random", 2, "--seed", 8, "--psi", 0.9)[0] == 0
    assert files(pictures / "painted") == ["photo__random-8.png", "photo__random-9.png"]
    assert read_settings(pictures / "painted/photo__random-9.png")["style"] == {"seed": 9, "psi": 0.9}
    first, second = (np.asarray(Image.open(pictures / f"painted/photo__random-{n}.png")) for n in (8, 9))
    assert (first != second).mean() > 0.5


def test_the_seed_chooses_the_strokes(paint, pictures):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        code, _, err = paint("photo.png", "--style", "painting.png", "--seed", seed, "--out", f"{name}.png")
        assert (code, err) == (0, "")
    first, again, other = (np.asarray(Image.open(pictures / f"{name}.png")).astype(int) for name in "abc")
    assert (first == again).all()
    assert np.abs(first - other).mean() > 0.3
    assert [read_settings(pictures / f"{name}.png")["seed"] for name in "ac"] == [5, 6]


def test_one_seed_is_for_strokes_and_random_styles(paint, pictures):
    assert paint("photo.png", "--random", 2, "--seed", 8)[0] == 0
    settings = [read_settings(pictures / f"painted/photo__random-{seed}.png") for seed in (8, 9)]
    assert [each["seed"] for each in settings] == [8, 8]
    assert [each["style"]["seed"] for each in settings] == [8, 9]


def test_a_mix(paint, pictures):
    code, _, err = paint("photo.png", "--style", "painting.png", "klimt-kiss", "--mix", 1, 3)
    assert (code, err) == (0, "")
    mix = read_settings(pictures / "painted/photo__painting+klimt-kiss.png")["style"]["mix"]
    assert [part["weight"] for part in mix] == [1, 3]
    assert paint("photo.png", "--style", "painting.png", "klimt-kiss", "--mix", "--out", "m.png")[0] == 0
    assert [part["weight"] for part in read_settings(pictures / "m.png")["style"]["mix"]] == [1, 1]


def test_style_files_of_a_folder(paint, pictures):
    (pictures / "styles").mkdir()
    for name in ("klimt-kiss", "turner-blue-rigi"):
        source = STYLES_DIR / f"{name}.safetensors"
        (pictures / "styles" / source.name).write_bytes(source.read_bytes())
    (pictures / "styles/art.png").write_bytes((pictures / "painting.png").read_bytes())
    assert paint("photo.png", "--style", "styles", "styles/*.safetensors")[0] == 0
    assert files(pictures / "painted") == [
        f"photo__{name}.png" for name in ("art", "klimt-kiss", "turner-blue-rigi")
    ]


def test_help_says_the_range_and_the_default_of_each_option(paint, capsys):
    with pytest.raises(SystemExit):
        paint("--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "From 0 to 100; default: 1.0" in text
    assert "One of nearest, network, pixels; default: nearest" in text
