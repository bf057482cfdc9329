"""Pictures in strips, by libvips: the same pixels as by Pillow, and the same metadata."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from brushwork.pictures.large_files import RawPicture, decode_large, encode_large
from brushwork.pictures.metadata import PictureMetadata, read_settings, read_with_metadata
from brushwork.pictures.reading import PictureError, read_picture

pytest.importorskip("pyvips")

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SETTINGS = {"strength": 0.5, "photo": {"file": "ä.jpg"}}


def pixels(height=61, width=83, channels=3):
    ramp = np.add.outer(np.arange(height) * 3, np.arange(width) * 2)
    return np.stack([(ramp * (k + 1)) % 256 for k in range(channels)], -1).astype(np.uint8)


def turned():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Camera"
    return exif


KINDS = {
    "rgb.png": (Image.fromarray(pixels()), {}),
    "rgb.tif": (Image.fromarray(pixels()), {"compression": "tiff_lzw"}),
    "photo.jpg": (Image.fromarray(pixels()), {"quality": 90, "subsampling": 0}),
    "turned.jpg": (Image.fromarray(pixels()), {"quality": 90, "subsampling": 0, "exif": turned()}),
    "turned.tif": (Image.fromarray(pixels()), {"exif": turned()}),
    "transparent.png": (Image.fromarray(pixels(channels=4)), {}),
    "gray.png": (Image.fromarray(pixels()[..., 0]), {}),
    "gray-transparent.png": (Image.fromarray(pixels()[..., :2], "LA"), {}),
    "palette.png": (Image.fromarray(pixels()).quantize(32), {}),
    "gray16.png": (Image.fromarray(pixels()[..., 0].astype(np.uint16) * 257), {}),
    "photo.webp": (Image.fromarray(pixels()), {"lossless": True}),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_pixels_are_those_that_pillow_reads(tmp_path, name):
    image, options = KINDS[name]
    image.save(tmp_path / name, **options)
    picture, metadata = decode_large(tmp_path / name, tmp_path / "raw")
    expected, expected_metadata = read_with_metadata(tmp_path / name)
    assert picture.size == (expected.height, expected.width)
    found = picture.rows(0, picture.size[0])
    # Transparency and JPEG are rounded in other places.
    assert np.abs(found.astype(int) - np.asarray(expected, int)).max() <= 1
    assert np.array_equal(picture.rows(7, 19), found[7:19])
    assert (metadata.exif is None) == (expected_metadata.exif is None)


@pytest.mark.parametrize(
    ("name", "image", "words"),
    [
        ("cmyk.jpg", Image.fromarray(pixels()).convert("CMYK"), "cmyk with uchar values cannot be read"),
        ("float.tif", Image.fromarray(pixels()[..., 0].astype(np.float32)), "float values cannot be read"),
        ("photo.bmp", Image.fromarray(pixels()), "BMP files cannot be read in strips; convert it to an RGB"),
    ],
)
def test_what_only_pillow_reads_is_refused_in_a_sentence(tmp_path, name, image, words):
    image.save(tmp_path / name)
    with pytest.raises(PictureError, match=words):
        decode_large(tmp_path / name, tmp_path / "raw")


def test_a_damaged_file_is_told(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)).save(
        tmp_path / "a.png"
    )
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(PictureError, match=r"a\.png is not a picture that can be read"):
        decode_large(tmp_path / "a.png", tmp_path / "raw")


def test_the_limit_on_pixels_holds(tmp_path, monkeypatch):
    Image.fromarray(pixels()).save(tmp_path / "a.png")
    monkeypatch.setenv("BRUSHWORK_MAX_MEGAPIXELS", "0.005")
    with pytest.raises(PictureError, match=r"million pixels, and at most 0\.005 million are read"):
        decode_large(tmp_path / "a.png", tmp_path / "raw")


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif"])
def test_a_result_is_written_with_profile_settings_and_exif(tmp_path, ending):
    pixels().tofile(tmp_path / "raw")
    Image.fromarray(pixels()).save(tmp_path / "photo.jpg", exif=turned(), icc_profile=SRGB)
    _, metadata = read_with_metadata(tmp_path / "photo.jpg")
    target = tmp_path / f"painted{ending}"
    encode_large(RawPicture(tmp_path / "raw", (61, 83)), target, metadata, SETTINGS)
    found = np.asarray(read_picture(target), int)
    assert np.abs(found - pixels()).mean() <= {".jpg": 3, ".webp": 6}.get(ending, 0)
    assert read_settings(target) == SETTINGS
    with Image.open(target) as image:
        assert image.info["icc_profile"] == SRGB
        assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
        if ending != ".tif":
            assert image.getexif()[ExifTags.Base.Make] == "Camera"


def test_a_result_without_metadata_has_none(tmp_path):
    pixels().tofile(tmp_path / "raw")
    encode_large(RawPicture(tmp_path / "raw", (61, 83)), tmp_path / "a.tif", PictureMetadata())
    assert read_settings(tmp_path / "a.tif") is None
