"""Colour profiles, EXIF and settings, from one file to the next."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from brushwork.pictures.metadata import (
    PictureMetadata,
    check_size,
    encode_picture,
    read_settings,
    read_with_metadata,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EXIF, GPS = ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo
TAKEN, WIDTH, HEIGHT, COMMENT, MAKER_NOTE = 0x9003, 0xA002, 0xA003, 0x9286, 0x927C
SETTINGS = {"style": "größte Wärme", "strength": 0.5}
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


def exif():
    """Of a camera that was held sideways."""
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = 6
    data[ExifTags.Base.Make] = "Camera"
    data[EXIF] = {TAKEN: "2020:01:01 10:00:00", WIDTH: 24, HEIGHT: 16}
    data[GPS] = {1: "N"}
    return data


def picture(width=24, height=16):
    rows = np.linspace(0, 255, width * height * 3).astype(np.uint8)
    return Image.fromarray(rows.reshape(height, width, 3))


def saved(path, image=None, **options):
    (image or picture()).save(path, **options)
    return path


def opened(data):
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


@pytest.mark.parametrize("ending", ENDINGS)
def test_everything_goes_on_and_the_orientation_is_reset(tmp_path, ending):
    read, metadata = read_with_metadata(saved(tmp_path / "photo.jpg", exif=exif(), icc_profile=SRGB))
    assert read.size == (16, 24)
    result = opened(encode_picture(read, ending, metadata, SETTINGS))
    assert result.size == (16, 24)
    assert result.info["icc_profile"] == SRGB
    found = result.getexif()
    assert found[ExifTags.Base.Orientation] == 1
    assert found[ExifTags.Base.Make] == "Camera"
    assert found.get_ifd(GPS) == {1: "N"}
    details = found.get_ifd(EXIF)
    assert (details[TAKEN], details[WIDTH], details[HEIGHT]) == ("2020:01:01 10:00:00", 16, 24)


@pytest.mark.parametrize("ending", ENDINGS)
def test_settings_come_back(tmp_path, ending):
    path = tmp_path / f"painted{ending}"
    path.write_bytes(encode_picture(picture(), ending, settings=SETTINGS))
    assert read_settings(path) == SETTINGS


@pytest.mark.parametrize("ending", [".tif", ".TIFF"])
def test_a_tiff_has_pixels_profile_and_settings(tmp_path, ending):
    read, metadata = read_with_metadata(saved(tmp_path / "photo.jpg", exif=exif(), icc_profile=SRGB))
    path = tmp_path / f"painted{ending}"
    path.write_bytes(encode_picture(read, ending, metadata, SETTINGS))
    result = opened(path.read_bytes())
    assert np.array_equal(np.asarray(result), np.asarray(read))
    assert result.info["icc_profile"] == SRGB
    assert read_settings(path) == SETTINGS
    path.write_bytes(encode_picture(read, ending))
    assert read_settings(path) is None


def test_settings_can_be_read_without_brushwork():
    png = opened(encode_picture(picture(), ".png", settings={"a": 1}))
    assert png.text["brushwork"] == '{"a": 1}'
    data = encode_picture(picture(), ".jpg", settings={"a": 1})
    assert b'ASCII\0\0\0{"a": 1}' in data
    # Of the type that EXIF asks for, undefined, and not a row of numbers.
    assert data.count(b"\x92\x86\x00\x07") == 1


def commented(text):
    data = Image.Exif()
    data[EXIF] = {COMMENT: b"ASCII\0\0\0" + text}
    return data


def test_a_png_keeps_the_photos_own_comment(tmp_path):
    _, metadata = read_with_metadata(saved(tmp_path / "photo.jpg", exif=commented(b"my note")))
    png = opened(encode_picture(picture(), ".png", metadata, SETTINGS))
    assert png.getexif().get_ifd(EXIF)[COMMENT] == b"ASCII\0\0\0my note"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_picture_without_anything_gets_nothing(tmp_path, ending):
    read, metadata = read_with_metadata(saved(tmp_path / "photo.png"))
    assert metadata == PictureMetadata()
    result = opened(encode_picture(read, ending, metadata))
    assert not result.getexif()
    assert "icc_profile" not in result.info
    path = tmp_path / f"painted{ending}"
    path.write_bytes(encode_picture(read, ending, metadata))
    assert read_settings(path) is None


def test_pixels_of_a_png_are_kept_and_those_of_a_jpeg_nearly():
    expected = np.asarray(picture(), int)
    assert np.array_equal(np.asarray(opened(encode_picture(picture(), ".png"))), expected)
    for ending in (".jpg", ".webp"):
        found = np.asarray(opened(encode_picture(picture(), ending)).convert("RGB"), int)
        assert np.abs(found - expected).mean() < 6


def test_profiles_of_other_colours_are_not_kept(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    cmyk = picture().convert("CMYK")
    for image in (cmyk, picture().convert("L")):
        _, metadata = read_with_metadata(saved(tmp_path / "photo.jpg", image, icc_profile=lab))
        assert metadata.icc_profile is None


def test_of_a_tiff_only_what_is_about_the_picture(tmp_path):
    data = Image.Exif()
    data[ExifTags.Base.Artist] = "A. Painter"
    read, metadata = read_with_metadata(
        saved(tmp_path / "scan.tif", exif=data, compression="tiff_lzw", icc_profile=SRGB)
    )
    found = opened(encode_picture(read, ".jpg", metadata)).getexif()
    assert dict(found) == {ExifTags.Base.Artist: "A. Painter"}
    assert metadata.icc_profile == SRGB


def test_what_a_jpeg_cannot_hold_is_left_out():
    note = exif()
    note[EXIF] = {TAKEN: "2020:01:01 10:00:00", MAKER_NOTE: bytes(66000)}
    metadata = PictureMetadata(exif=note.tobytes())
    found = opened(encode_picture(picture(), ".jpg", metadata, SETTINGS)).getexif()
    assert found[ExifTags.Base.Make] == "Camera"
    assert MAKER_NOTE not in found.get_ifd(EXIF)
    assert found.get_ifd(EXIF)[TAKEN] == "2020:01:01 10:00:00"
    png = opened(encode_picture(picture(), ".png", metadata, SETTINGS)).getexif()
    assert len(png.get_ifd(EXIF)[MAKER_NOTE]) == 66000

    note[ExifTags.Base.ImageDescription] = "x" * 66000
    metadata = PictureMetadata(exif=note.tobytes())
    data = encode_picture(picture(), ".jpg", metadata, SETTINGS)
    assert set(opened(data).getexif().get_ifd(EXIF)) == {COMMENT}
    assert not opened(encode_picture(picture(), ".jpg", metadata)).getexif()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("broken", [b"", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x02\1"])
def test_damaged_exif_does_not_stop_anything(tmp_path, broken):
    read, metadata = read_with_metadata(saved(tmp_path / "photo.jpg", exif=b"Exif\0\0" + broken))
    assert read.size == (24, 16)
    path = tmp_path / "painted.jpg"
    path.write_bytes(encode_picture(read, ".jpg", metadata, SETTINGS))
    assert read_settings(path) == SETTINGS


def test_files_without_settings(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    saved(tmp_path / "other.jpg", exif=commented(b"not JSON"))
    saved(tmp_path / "list.jpg", exif=commented(b"[1]"))
    for name in ("text.png", "none.png", "other.jpg", "list.jpg"):
        assert read_settings(tmp_path / name) is None


def test_sizes_and_formats_that_cannot_be_written():
    check_size((16383, 1), ".webp")
    with pytest.raises(ValueError, match="16384 x 2 pixels, and a WEBP file holds at most 16383"):
        encode_picture(Image.new("RGB", (16384, 2)), ".webp")
    with pytest.raises(ValueError, match=r"not written as '\.gif'; choose \.png"):
        encode_picture(picture(), ".gif")
