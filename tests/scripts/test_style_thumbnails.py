"""What the style picker shows of the library: a picture of every style as it is now, and its names."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from brushwork.models.style_file import read_style
from scripts.style_thumbnails import LIBRARY, PICTURES, SIDE, about_library, thumbnail, usual_name

STYLES = sorted(LIBRARY.glob("*.safetensors"))


def pixels(picture):
    return np.asarray(picture.convert("RGB")).astype(float)


def test_every_style_has_its_picture_and_nothing_else_is_there():
    names = {path.name for path in PICTURES.iterdir()}
    assert names == {f"{path.stem}.webp" for path in STYLES} | {"library.json"}
    for path in STYLES:
        with Image.open(PICTURES / f"{path.stem}.webp") as picture:
            assert (picture.format, picture.size) == ("WEBP", (SIDE, SIDE))
            own = read_style(path).picture().resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            # Another style's picture is off by much more.
            off = np.abs(pixels(picture) - pixels(own)).mean()
            assert off < 8, f"{path.stem}: run python -m scripts.style_thumbnails"


def test_they_are_small():
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < 250_000


def test_the_names_are_the_librarys():
    text = (PICTURES / "library.json").read_text(encoding="utf-8")
    assert json.loads(text) == about_library(), "run python -m scripts.style_thumbnails"
    assert list(json.loads(text)) == [path.stem for path in STYLES]
    for about in about_library().values():
        assert about["short"]
        assert not about["zh"]["title"].isascii()
        assert not about["zh"]["artist"].isascii()


def test_a_thumbnail_is_a_small_webp_of_the_files_own():
    style = read_style(STYLES[0])
    with Image.open(io.BytesIO(thumbnail(style))) as picture:
        assert (picture.format, picture.size) == ("WEBP", (SIDE, SIDE))
    with pytest.raises(ValueError, match="has no thumbnail"):
        thumbnail(type(style)(style.code, style.structure_layers, style.encoder, "Bare"))


@pytest.mark.parametrize(
    ("artist", "style_id", "name"),
    [
        ("El Greco", "el-greco-view-of-toledo", "El Greco"),
        ("Gustave Doré", "dore-vision-of-hell", "Doré"),
        ("Giotto di Bondone", "giotto-saint-francis-preaching", "Giotto"),
        ("Somebody", "waves", "Somebody"),
    ],
)
def test_the_usual_name_of_an_artist(artist, style_id, name):
    assert usual_name(artist, style_id) == name
