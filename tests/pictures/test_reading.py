"""From a file to upright RGB of 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brushwork.pictures.reading import read_picture, upright, upright_rgb


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("white", (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to show
    image.save(tmp_path / "turned.png", exif=exif)

    shown = read_picture(tmp_path / "turned.png")

    assert shown.size == (20, 40)
    assert shown.getpixel((10, 2)) == (255, 255, 255)
    assert shown.getpixel((10, 37)) == (0, 0, 255)


def test_transparency_becomes_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    image.save(tmp_path / "alpha.png")

    shown = read_picture(tmp_path / "alpha.png")

    assert shown.getpixel((0, 0)) == (255, 255, 255)
    assert shown.getpixel((1, 0)) == (127, 127, 127)
    assert shown.getpixel((2, 0)) == (255, 0, 0)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_keep_their_greys(tmp_path: Path, ending: str) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / f"grey.{ending}")
    shown = np.asarray(read_picture(tmp_path / f"grey.{ending}"))
    assert np.array_equal(shown, np.stack([np.minimum(ramp // 255, 255)] * 3, 2))
    assert np.abs(shown[..., 0].astype(int) - (ramp >> 8)).max() <= 1


def test_sixteen_bits_are_what_load_image_shows() -> None:
    """ComfyUI 0.3.64, nodes.py: a picture of mode I is multiplied by 1/255 and converted to RGB."""
    levels = np.arange(65536, dtype=np.int32).reshape(256, 256)
    wide = Image.fromarray(levels)
    assert wide.mode == "I"
    shown = np.asarray(wide.point(lambda i: i * (1 / 255)).convert("RGB"))
    assert np.array_equal(np.asarray(upright_rgb(wide)), shown)
    narrow = Image.fromarray(levels.astype(np.uint16))
    assert narrow.mode == "I;16"
    assert np.array_equal(np.asarray(upright_rgb(narrow)), shown)


def test_upright_leaves_eight_bits_and_transparency_alone() -> None:
    for mode in ("L", "LA", "RGB", "RGBA", "P"):
        image = Image.new(mode, (3, 2))
        assert upright(image).mode == mode
        assert upright(image).tobytes() == image.tobytes()
