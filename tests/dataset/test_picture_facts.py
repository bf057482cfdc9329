"""One file measured: size as shown, tone, colour, frames, transparency, and what is wrong with it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from brushwork.dataset.picture_facts import THUMBNAIL, UnreadablePictureError, file_facts, pixel_facts
from brushwork.pictures.reading import DAMAGE, read_picture


@pytest.fixture(scope="module")
def wave(inputs_dir: Path) -> Image.Image:
    return read_picture(inputs_dir / "art-hokusai-great-wave.jpg")


def facts_of(image: Image.Image, path: Path, **options):
    image.save(path, **options)
    return file_facts(path, path.name)


def test_what_is_known_of_a_file(inputs_dir: Path) -> None:
    path = inputs_dir / "art-hokusai-great-wave.jpg"
    facts = file_facts(path, "deep/wave.jpg")
    assert (facts.name, facts.width, facts.height, facts.shorter) == ("deep/wave.jpg", 768, 517, 517)
    assert (facts.format, facts.frames, facts.transparent) == ("JPEG", 1, False)
    assert facts.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    with Image.open(io.BytesIO(facts.thumbnail)) as thumbnail:
        assert thumbnail.size == (THUMBNAIL, round(THUMBNAIL * 517 / 768))


def test_a_file_and_its_pixels_are_alike(inputs_dir: Path, wave: Image.Image) -> None:
    file, pixels = file_facts(inputs_dir / "art-hokusai-great-wave.jpg", "a"), pixel_facts(wave, "b")
    assert (pixels.width, pixels.height, pixels.format) == (768, 517, "memory")
    # The file was decoded at a fraction of its size.
    assert (file.hash.bits ^ pixels.hash.bits).bit_count() <= 2
    assert pixels.contrast == pytest.approx(file.contrast, rel=0.02)
    assert pixels.color_spread == pytest.approx(file.color_spread, rel=0.05)
    assert pixels.digest == pixel_facts(wave.copy(), "c").digest
    assert pixels.digest != pixel_facts(ImageOps.mirror(wave), "b").digest


@pytest.mark.parametrize("size", [(1001, 1000), (2000, 600)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_the_one_shown(tmp_path: Path, wave: Image.Image, orientation, size) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    facts = facts_of(wave.resize(size), path, exif=exif)
    assert (facts.width, facts.height) == read_picture(path).size


def test_color_spread_tells_ink_on_any_paper_from_colour(inputs_dir: Path, wave: Image.Image) -> None:
    gray = ImageOps.grayscale(wave)
    sepia = ImageOps.colorize(gray, "#20140a", "#f3dfb0")
    assert pixel_facts(gray.convert("RGB"), "").color_spread < 0.1
    assert pixel_facts(sepia, "").color_spread < 2.5
    for name in ("engraving-dore", "ink-fuchun-mountains"):
        assert file_facts(inputs_dir / f"art-{name}.jpg", name).color_spread < 2.5
    for name in ("hokusai-great-wave", "monet-woman-with-a-parasol", "vangogh-starry-night"):
        assert file_facts(inputs_dir / f"art-{name}.jpg", name).color_spread > 6


def test_contrast_tells_blank_from_faint(wave: Image.Image) -> None:
    noise = np.random.default_rng(0).normal(240, 3, (300, 400, 3)).clip(0, 255).astype(np.uint8)
    assert pixel_facts(Image.new("RGB", (40, 30), "red"), "").contrast == pytest.approx(0, abs=1e-9)
    assert pixel_facts(Image.fromarray(noise), "").contrast < 3
    faint = Image.blend(Image.new("RGB", wave.size, "white"), wave, 0.25)
    assert pixel_facts(faint, "").contrast > 3
    assert pixel_facts(wave, "").contrast > 15


def test_frames_and_transparency(tmp_path: Path, wave: Image.Image) -> None:
    small = wave.resize((60, 40))
    turned = [small.rotate(90), small.rotate(180)]
    assert facts_of(small, tmp_path / "a.gif", save_all=True, append_images=turned).frames == 3
    assert facts_of(small, tmp_path / "a.tif", save_all=True, append_images=turned).frames == 3
    # The second picture in a camera's file is a preview, no animation.
    assert facts_of(small, tmp_path / "a.mpo", save_all=True, append_images=turned[1:]).frames == 1
    opaque = small.convert("RGBA")
    assert not facts_of(opaque, tmp_path / "opaque.png").transparent
    opaque.putpixel((0, 0), (0, 0, 0, 128))
    assert facts_of(opaque, tmp_path / "hole.png").transparent
    palette = small.convert("P")
    assert facts_of(palette, tmp_path / "palette.png", transparency=palette.getpixel((5, 5))).transparent


@pytest.mark.parametrize(("size", "shown"), [((1, 1), (1, 1)), ((3000, 2), (THUMBNAIL, 1))])
def test_extreme_sizes(tmp_path: Path, size, shown) -> None:
    facts = facts_of(Image.new("RGB", size, "white"), tmp_path / "a.png")
    assert (facts.width, facts.height) == size
    with Image.open(io.BytesIO(facts.thumbnail)) as thumbnail:
        assert thumbnail.size == shown


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.jpg", lambda whole: b"", "the file is empty"),
        ("text.png", lambda whole: b"no picture", "it is not in a format that Pillow reads"),
        ("cut.jpg", lambda whole: whole[: len(whole) // 2], "it is damaged (image file is truncated"),
        ("bomb.pbm", lambda whole: b"P4 60000 60000 ", "it claims more than 179 million pixels"),
    ],
)
def test_why_a_file_cannot_be_read(tmp_path: Path, inputs_dir: Path, name, data, reason) -> None:
    whole = (inputs_dir / "art-hokusai-great-wave.jpg").read_bytes()
    (tmp_path / name).write_bytes(data(whole))
    with pytest.raises(UnreadablePictureError) as refused:
        file_facts(tmp_path / name, name)
    assert str(refused.value).startswith(reason)
    assert "BytesIO" not in str(refused.value)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePictureError, match="No such file"):
        file_facts(tmp_path / "gone.png", "gone.png")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("ending", ["bmp", "gif", "jpg", "png", "tif", "webp"])
def test_readable_is_what_training_can_read(tmp_path: Path, wave: Image.Image, ending: str) -> None:
    """Decoding at a fraction of the size and counting frames must not judge otherwise than training."""
    whole, small = tmp_path / f"whole.{ending}", wave.resize((300, 200))
    more = {"save_all": True, "append_images": [small.rotate(90)]} if ending in ("gif", "tif") else {}
    small.save(whole, **more)
    rng = np.random.default_rng(7)
    judged = []
    for k in range(24):
        data = np.frombuffer(whole.read_bytes(), dtype=np.uint8).copy()
        reach = len(data) if k % 2 else 200
        data[rng.integers(0, reach, 3)] = rng.integers(0, 256, 3)
        path = tmp_path / f"damaged.{ending}"
        path.write_bytes(data[: rng.integers(1, len(data))] if k % 4 == 3 else data)
        outcomes = []
        for read in (read_picture, lambda path: file_facts(path, "")):
            try:
                result = read(path)
                outcomes.append((result.width, result.height))
            except (*DAMAGE, UnreadablePictureError):
                outcomes.append(None)
        assert outcomes[0] == outcomes[1]
        judged.append(outcomes[0] is None)
    assert any(judged)
