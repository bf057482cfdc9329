"""Painted strip by strip, a picture is the one that is painted whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from brushwork.models import regions as regions_of_pictures
from brushwork.models.large import maps, style
from brushwork.models.large.content import LargeContent, encode_large_content
from brushwork.models.large.maps import MapStore, StorageError
from brushwork.models.large.paint import LargePicture
from brushwork.models.large.style import encode_large_style, reduced
from brushwork.models.passes import Frozen
from brushwork.models.regions import StyleRegion
from brushwork.models.style_gan import StyleGAN
from brushwork.models.video.norm_statistics import Recorder

CPU = torch.device("cpu")
# Far below 1/255; float32 in another order.
CLOSE = 2e-4


@pytest.fixture(scope="module")
def shipped() -> StyleGAN:
    return StyleGAN.default()


def in_memory(strip_bytes: int = 60_000) -> MapStore:
    return MapStore(CPU, strip_bytes, 2**40)


def in_files(folder: Path, strip_bytes: int = 60_000) -> MapStore:
    return MapStore(CPU, strip_bytes, 0, folder)


def rows_of(picture: torch.Tensor):
    return lambda start, stop: picture[:, :, start:stop]


def painted(gan, picture, store, code, **how):
    """Put together from strips; every row must come once."""
    size = tuple(picture.shape[2:])
    result = torch.full_like(picture, torch.nan)
    last = 0
    for start, rows in LargePicture(rows_of(picture), size, store).paint(gan, code, **how):
        assert start == last
        last = start + rows.shape[2]
        result[:, :, start:last] = rows
    assert last == size[0]
    return result


def whole(gan, picture, code, **how):
    with torch.inference_mode():
        return gan.generate(gan.encode_content(picture), code, **how)


def cut(photo, size):
    """A picture of odd size from the photo, which is enlarged where it is too small."""
    height, width = size
    rows = torch.arange(height) % photo.shape[2]
    return photo[:, :, rows][..., torch.arange(width) % photo.shape[3]].contiguous()


@pytest.mark.parametrize("strip_bytes", [1, 60_000, 2**30])
@pytest.mark.parametrize("size", [(203, 131), (67, 301), (200, 5), (5, 90)])
def test_any_size(frozen_tiny, photo, artwork, size, strip_bytes):
    picture, code = cut(photo, size), frozen_tiny.encode_style(artwork)
    found = painted(frozen_tiny, picture, in_memory(strip_bytes), code)
    torch.testing.assert_close(found, whole(frozen_tiny, picture, code), rtol=0, atol=CLOSE)


def test_the_shipped_network_with_its_maps_in_files(shipped, photo, artwork, tmp_path):
    picture, code = cut(photo, (187, 149)), shipped.encode_style(artwork)
    found = painted(shipped, picture, in_files(tmp_path), code)
    torch.testing.assert_close(found, whole(shipped, picture, code), rtol=0, atol=CLOSE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("strength", [0.0, 0.35, 1.0])
def test_strength_and_seed(shipped, photo, artwork, strength):
    picture, code = cut(photo, (115, 98)), shipped.encode_style(artwork)
    found = painted(shipped, picture, in_memory(), code, strength=strength, seed=7)
    expected = whole(shipped, picture, code, strength=strength, seed=7)
    torch.testing.assert_close(found, expected, rtol=0, atol=CLOSE)
    other = painted(shipped, picture, in_memory(), code, strength=strength, seed=8)
    assert torch.equal(found, other) == (strength == 0)


@pytest.mark.parametrize(("strength", "least_copy"), [(0.6, 64**2), (1.0, 192**2)])
def test_masks_and_several_styles(frozen_tiny, photo, artwork, monkeypatch, strength, least_copy):
    # Regions take what they cannot see from a small copy, or from the picture itself.
    monkeypatch.setattr(regions_of_pictures, "_LEAST_COPY", least_copy)
    picture = cut(photo, (141, 95))
    codes = [frozen_tiny.encode_style(artwork.roll(k, 1)) for k in range(3)]
    left = torch.zeros(1, 70, 50)
    left[..., :21] = 0.7
    low = torch.zeros(1, 141, 95)
    low[:, 90:] = 1
    regions = [StyleRegion(codes[1], left), StyleRegion(codes[2], low)]
    how = {"regions": regions, "strength": strength}
    found = painted(frozen_tiny, picture, in_memory(), codes[0], **how)
    torch.testing.assert_close(found, whole(frozen_tiny, picture, codes[0], **how), rtol=0, atol=CLOSE)
    plain = painted(frozen_tiny, picture, in_memory(), codes[0])
    assert (found - plain).abs().max() > 0.02


def test_a_style_beneath_a_mask_that_covers_all_has_no_part(frozen_tiny, photo, artwork):
    picture, code = cut(photo, (90, 70)), frozen_tiny.encode_style(artwork)
    hidden = frozen_tiny.encode_style(artwork.flip(1))
    found = painted(
        frozen_tiny, picture, in_memory(), hidden, regions=[StyleRegion(code, torch.ones(1, 9, 7))]
    )
    assert torch.equal(found, painted(frozen_tiny, picture, in_memory(), code))


@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_a_few_pixels(shipped, photo, artwork, size):
    picture, code = cut(photo, size), shipped.encode_style(artwork)
    found = painted(shipped, picture, in_memory(1), code)
    torch.testing.assert_close(found, whole(shipped, picture, code), rtol=0, atol=1 / 255)


@pytest.mark.parametrize("size", [(1, 1), (150, 90)])
def test_a_flat_picture_keeps_its_constant_channels_quiet(shipped, artwork, size):
    # They are divided by almost nothing twice, and a rounding error in a mean was seen as 100/255.
    picture, code = torch.full((1, 3, *size), 0.31), shipped.encode_style(artwork)
    found = painted(shipped, picture, in_memory(), code)
    torch.testing.assert_close(found, whole(shipped, picture, code), rtol=0, atol=1 / 255)


def test_statistics_are_those_of_the_whole_picture(frozen_tiny, photo):
    picture, recorder = cut(photo, (141, 95)), Recorder()
    with torch.no_grad():
        frozen_tiny.encode_content(picture, Frozen(recorder))
    found = encode_large_content(frozen_tiny.content_encoder, rows_of(picture), (141, 95), in_memory(9_000))
    for name, each in found.maps.items():
        _, variance = recorder.kept[f"content_encoder.{name}"]
        # A normalized map has mean 0 and the variance that eps leaves.
        assert each.statistics[0].abs().max() < 1e-5
        left = variance / (variance + 1e-5)
        torch.testing.assert_close(each.statistics[1].flatten(), left, rtol=1e-4, atol=1e-5)


def test_a_content_code_in_memory_is_painted_and_kept(frozen_tiny, photo, artwork):
    picture, code = cut(photo, (141, 95)), frozen_tiny.encode_style(artwork)
    with torch.inference_mode():
        content = frozen_tiny.encode_content(picture)
    before = {name: each.clone() for name, each in content.maps.items()}
    large = LargeContent.from_code(content, in_memory())
    for _ in range(2):
        found = painted(frozen_tiny, picture, in_memory(), code, content=large)
        torch.testing.assert_close(found, whole(frozen_tiny, picture, code), rtol=0, atol=CLOSE)
    for name, each in content.maps.items():
        assert torch.equal(each, before[name])


def test_a_large_content_becomes_a_content_code(frozen_tiny, photo, tmp_path):
    picture = cut(photo, (141, 95))
    expected = frozen_tiny.encode_content(picture)
    large = encode_large_content(frozen_tiny.content_encoder, rows_of(picture), (141, 95), in_files(tmp_path))
    code = large.code(picture)
    assert torch.equal(code.corner, expected.corner)
    assert code.image is picture
    for name, each in code.maps.items():
        assert each.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(each, expected.maps[name], rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [(700, 530), (530, 1201), (90, 70)])
@pytest.mark.parametrize("stroke_size", [0.5, 1.0, 2.0])
def test_a_style_from_rows(frozen_tiny, photo, size, stroke_size):
    picture = cut(photo, size)
    with torch.inference_mode():
        expected = frozen_tiny.encode_style(picture, stroke_size=stroke_size)
    found = encode_large_style(frozen_tiny, rows_of(picture), size, stroke_size)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_reducing_in_strips_is_reducing(monkeypatch, photo):
    picture = cut(photo, (301, 223))
    expected = torch.nn.functional.interpolate(
        picture, (97, 64), mode="bilinear", antialias=True, align_corners=False
    )
    monkeypatch.setattr(style, "_CHUNK", 223 * 7)
    torch.testing.assert_close(reduced(rows_of(picture), (301, 223), (97, 64), CPU), expected)


def test_a_full_disk_is_one_sentence(frozen_tiny, photo, artwork, tmp_path, monkeypatch):
    monkeypatch.setattr(maps.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    with pytest.raises(StorageError, match=r"needs 0\.0 GB for temporary files in .*; make room"):
        painted(frozen_tiny, cut(photo, (90, 70)), in_files(tmp_path), frozen_tiny.encode_style(artwork))


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_a_wrong_strength_is_refused(frozen_tiny, photo, artwork, strength):
    picture = LargePicture(rows_of(photo), tuple(photo.shape[2:]), in_memory())
    with pytest.raises(ValueError, match=f"strength is {strength}"):
        picture.paint(frozen_tiny, frozen_tiny.encode_style(artwork), strength=strength)
