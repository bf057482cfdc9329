"""From file to file in strips: what painting in memory gives, with nothing left behind."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from brushwork.painting import large_files
from brushwork.painting.folders import PaintJob, PaintResult, paint_files
from brushwork.painting.options import RefineOptions
from brushwork.painting.styles import RandomStyle
from brushwork.painting.stylizer import StylizeOptions, Stylizer
from brushwork.pictures.metadata import read_settings
from brushwork.pictures.reading import read_picture
from brushwork.pictures.tensors import as_picture

pytest.importorskip("pyvips")

STYLE = RandomStyle(3)


@pytest.fixture
def photo_file(photo, tmp_path):
    """A file of odd size."""
    path = tmp_path / "photo.tif"
    as_picture(photo[:, :, :157, :131]).save(path)
    return path


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr(large_files, "LARGE_PIXELS", 0)


def painted(photo_file, target, stylizer, overwrite=False):
    (outcome,) = paint_files([PaintJob(photo_file, STYLE, target)], stylizer, overwrite)
    return outcome


@pytest.mark.parametrize("preserve_color", ["off", "luminance", "histogram"])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_as_in_memory(gan, photo_file, tmp_path, monkeypatch, strength, preserve_color):
    options = StylizeOptions(strength, preserve_color, seed=4)
    assert painted(photo_file, tmp_path / "memory.png", Stylizer(gan, options)).result is PaintResult.PAINTED
    monkeypatch.setattr(large_files, "LARGE_PIXELS", 0)
    target = tmp_path / "out" / "file.tif"
    assert painted(photo_file, target, Stylizer(gan, options, tile=64)).result is PaintResult.PAINTED
    found, expected = (np.asarray(read_picture(path), int) for path in (target, tmp_path / "memory.png"))
    differences = np.abs(found - expected)
    # Ranks of 22 bits: at a gap in the photo's colours, a pixel may land on the other side.
    assert (differences > 1).sum() <= (20 if preserve_color == "histogram" else 0)
    assert (found != expected).mean() < 0.02
    assert [path.name for path in target.parent.iterdir()] == ["file.tif"]


def test_no_seam_between_tiles(gan, photo_file, tmp_path, all_are_large):
    """Rows where tiles meet differ from their neighbours as others do."""
    painted(photo_file, tmp_path / "small.png", Stylizer(gan, tile=64))
    painted(photo_file, tmp_path / "large.png", Stylizer(gan, tile=4096))
    small, large = (np.asarray(read_picture(tmp_path / name), int) for name in ("small.png", "large.png"))
    steps = np.abs(np.diff(small, axis=0) - np.diff(large, axis=0)).mean((1, 2))
    assert steps.max() < 0.05


def test_settings_are_those_of_painting_in_memory_and_the_file_is_skipped(
    gan, photo_file, tmp_path, monkeypatch
):
    stylizer = Stylizer(gan)
    painted(photo_file, tmp_path / "memory.png", stylizer)
    monkeypatch.setattr(large_files, "LARGE_PIXELS", 0)
    painted(photo_file, tmp_path / "file.png", stylizer)
    assert read_settings(tmp_path / "file.png") == read_settings(tmp_path / "memory.png")
    assert painted(photo_file, tmp_path / "file.png", stylizer).result is PaintResult.SKIPPED


def test_memory_that_runs_out_makes_tiles_smaller(gan, photo_file, tmp_path, all_are_large, monkeypatch):
    painted(photo_file, tmp_path / "expected.png", Stylizer(gan))
    real = gan.generator.head.forward

    def forward(x, **borders):
        if x.shape[2] > 20:
            raise MemoryError
        return real(x, **borders)

    monkeypatch.setattr(gan.generator.head, "forward", forward)
    told = []
    job = PaintJob(photo_file, STYLE, tmp_path / "found.png")
    (outcome,) = paint_files([job], Stylizer(gan), on_note=told.append)
    assert outcome.result is PaintResult.PAINTED
    assert told == ["Memory ran out: the picture is now painted on the CPU in tiles of 71 pixels."]
    found, expected = (np.asarray(read_picture(tmp_path / f"{n}.png"), int) for n in ("found", "expected"))
    assert np.abs(found - expected).max() <= 1


def test_a_full_disk_is_a_sentence(gan, photo_file, tmp_path, all_are_large, monkeypatch):
    monkeypatch.setattr(large_files.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    outcome = painted(photo_file, tmp_path / "out" / "a.png", Stylizer(gan))
    assert outcome.result is PaintResult.FAILED
    assert outcome.sentence.startswith(
        "Painting a picture of 0 million pixels needs 0.0 GB for temporary files"
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_strokes_of_another_size_are_refused(gan, photo_file, tmp_path, all_are_large):
    outcome = painted(photo_file, tmp_path / "out.png", Stylizer(gan, StylizeOptions(stroke_size=2)))
    assert outcome.result is PaintResult.FAILED
    assert outcome.sentence.startswith("The stroke size is 2, and")
    assert "give 1, or scale the picture down" in outcome.sentence


def test_a_picture_that_cannot_be_read_in_strips_is_a_sentence(gan, tmp_path, all_are_large):
    Image.new("CMYK", (40, 30)).save(tmp_path / "photo.jpg")
    outcome = painted(tmp_path / "photo.jpg", tmp_path / "out.png", Stylizer(gan))
    assert outcome.result is PaintResult.FAILED
    assert "cannot be read in strips; convert it" in outcome.sentence


def test_refining_stays_in_memory(gan, photo_file, all_are_large):
    refining = Stylizer(gan, StylizeOptions(refine=RefineOptions("draft")))
    assert not large_files.is_large(photo_file, refining)
    assert large_files.is_large(photo_file, Stylizer(gan))
