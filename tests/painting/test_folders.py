"""Many files: names, what is skipped, what fails, and what a painted file holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from brushwork.base.files import sha256_of
from brushwork.base.shipped import STYLES_DIR
from brushwork.base.version import version
from brushwork.painting import existing, photo_reading
from brushwork.painting.folders import PaintJob, PaintResult, WriteError, make_jobs, paint_files
from brushwork.painting.options import RefineOptions
from brushwork.painting.styles import PaintingStyle, RandomStyle, SavedStyle, mixed
from brushwork.painting.stylizer import StylizeOptions, Stylizer
from brushwork.pictures.metadata import read_settings

pytestmark = pytest.mark.usefixtures("slim_loss_network")

HOKUSAI = STYLES_DIR / "hokusai-great-wave.safetensors"


@pytest.fixture
def folder(tmp_path):
    """photos/a.png, photos/b.jpg (on its side), art/one.png, art/two.png."""
    rng = np.random.default_rng(5)
    for name, size in (("photos/a.png", (40, 24)), ("photos/b.jpg", (32, 24)), ("art/one.png", (32, 32))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        image = Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
        exif = Image.Exif()
        if name.endswith("jpg"):
            exif[ExifTags.Base.Orientation] = 8
        image.save(tmp_path / name, exif=exif)
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "art/two.png")
    return tmp_path


@pytest.fixture
def stylizer(gan):
    return Stylizer(gan)


def photos(folder):
    return sorted((folder / "photos").iterdir())


def art(folder):
    return [PaintingStyle(path) for path in sorted((folder / "art").iterdir())]


def names(jobs):
    return [job.target.name for job in jobs]


def results(outcomes):
    return [outcome.result for outcome in outcomes]


def test_each_photo_in_each_style(folder):
    jobs = make_jobs(photos(folder), [*art(folder), RandomStyle(7)], folder / "out", ".webp")
    assert names(jobs) == [f"{photo}__{style}.webp" for photo in "ab" for style in ("one", "two", "random-7")]


def test_in_pairs(folder):
    assert names(make_jobs(photos(folder), art(folder), folder, pairs="zip")) == ["a__one.png", "b__two.png"]
    with pytest.raises(ValueError, match="there are 2 photos and 1 style;"):
        make_jobs(photos(folder), art(folder)[:1], folder, pairs="zip")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"photos": [None]}, "photo is of the type NoneType; give a text or a Path"),
        ({"styles": [None]}, "style is of the type NoneType; give a StyleSource"),
        ({"folder": None}, "folder is of the type NoneType; give a text or a Path"),
        ({"ending": None}, "ending is of the type NoneType; give a str"),
        ({"pairs": None}, "pairs is None; choose one of cross, zip"),
    ],
)
def test_arguments_of_another_type(folder, change, sentence):
    arguments = {"photos": photos(folder), "styles": art(folder), "folder": folder}
    with pytest.raises(ValueError, match=f"^{sentence}"):
        make_jobs(**(arguments | change))


def test_no_two_pairs_share_a_file(folder):
    (folder / "more").mkdir()
    for name in ("a.jpg", "A.png", "a__one.png"):
        (folder / "more" / name).write_bytes(b"")
    many = [*photos(folder), *sorted((folder / "more").iterdir())]
    styles = [*art(folder), PaintingStyle(folder / "one.jpg"), PaintingStyle(folder / "one__one.jpg")]
    found = names(make_jobs(many, styles, folder / "out"))
    assert len({name.casefold() for name in found}) == len(found) == 5 * 4
    assert "a__two.png" not in found
    assert "b__two.png" in found
    long = mixed([PaintingStyle(folder / f"{'style ' * 9}{i}.jpg") for i in range(5)])
    (job,) = make_jobs(many[:1], [long], folder / "out")
    assert len(job.target.name.encode()) < 200


def test_a_photo_and_a_film_of_one_name_keep_it(folder):
    style = art(folder)[0]
    live = [Path("live.jpg"), Path("live.mov"), Path("other.avi"), Path("other.mkv")]
    named = [job.target.name for job in make_jobs(live, [style], folder / "out")]
    assert named[:2] == [f"live__{style.name}.png", f"live__{style.name}.mov"]
    # An AVI becomes an MKV, so these two would be one file.
    assert len({*named[2:], f"other__{style.name}.mkv"}) == 3


def test_a_picture_that_is_read_is_never_replaced(folder, stylizer):
    with pytest.raises(ValueError, match=r"a__one\.png is one of the pictures to read"):
        make_jobs(
            [folder / "photos/a.png", folder / "photos/../a__one.png"], art(folder), folder, pairs="cross"
        )


def test_a_painted_file(folder, stylizer):
    jobs = make_jobs(photos(folder), art(folder)[:1], folder / "new" / "out", ".png")
    started = []
    outcomes = list(paint_files(jobs, stylizer, on_start=started.append))
    assert results(outcomes) == [PaintResult.PAINTED] * 2
    assert started == jobs
    assert all(outcome.seconds > 0 and not outcome.sentence for outcome in outcomes)
    with Image.open(jobs[1].target) as image:
        # The photo lay on its side.
        assert image.size == (24, 32)
        assert image.getexif()[ExifTags.Base.Orientation] == 1
        found = np.asarray(image)
    with Image.open(jobs[1].photo) as photo:
        upright = np.asarray(photo.transpose(Image.Transpose.ROTATE_90))
    with torch.inference_mode():
        pixels = torch.from_numpy(upright.copy()).permute(2, 0, 1)[None] / 255
        painting = torch.from_numpy(np.array(Image.open(folder / "art/one.png"))).permute(2, 0, 1)[None] / 255
        expected = stylizer.gan.stylize(pixels, painting)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(found - expected).max() < 0.51
    assert read_settings(jobs[1].target) == {
        "brushwork": version(),
        "photo": {"file": "b.jpg", "sha256": sha256_of(jobs[1].photo)},
        "style": {"painting": "one.png", "sha256": sha256_of(folder / "art/one.png")},
        "strength": 1.0,
        "preserve_color": "off",
        "stroke_size": 1.0,
        "seed": 0,
        "strokes": "proportion",
        "network": None,
    }
    assert sorted(path.name for path in (folder / "new" / "out").iterdir()) == ["a__one.png", "b__one.png"]


def test_what_is_there_is_skipped_unless_it_is_something_else(folder, gan, stylizer):
    jobs = make_jobs(photos(folder), art(folder)[:1], folder / "out", ".jpg")
    assert results(paint_files(jobs[:1], stylizer)) == [PaintResult.PAINTED]
    before = jobs[0].target.read_bytes()
    assert results(paint_files(jobs, stylizer)) == [PaintResult.SKIPPED, PaintResult.PAINTED]
    # Other settings, another photo, a file of somebody's.
    weaker = Stylizer(gan, StylizeOptions(strength=0.5))
    outcomes = list(paint_files(jobs[:1], weaker))
    assert results(outcomes) == [PaintResult.OCCUPIED]
    assert "a__one.jpg is there already and was not painted from these files" in outcomes[0].sentence
    assert jobs[0].target.read_bytes() == before
    assert results(paint_files(jobs[:1], weaker, overwrite=True)) == [PaintResult.PAINTED]
    assert jobs[0].target.read_bytes() != before
    with Image.open(jobs[0].photo) as image:
        image.transpose(Image.Transpose.ROTATE_180).save(jobs[0].photo)
    assert results(paint_files(jobs[:1], weaker)) == [PaintResult.OCCUPIED]
    jobs[0].target.write_bytes(b"mine")
    assert results(paint_files(jobs[:1], weaker)) == [PaintResult.OCCUPIED]
    assert jobs[0].target.read_bytes() == b"mine"


def test_the_version_is_no_setting(folder, stylizer, monkeypatch):
    jobs = make_jobs(photos(folder)[:1], [SavedStyle(HOKUSAI)], folder / "out")
    assert results(paint_files(jobs, stylizer)) == [PaintResult.PAINTED]
    monkeypatch.setattr(existing, "version", lambda: "9.9")
    assert results(paint_files(jobs, stylizer)) == [PaintResult.SKIPPED]


def test_a_bad_file_is_told_and_the_rest_goes_on(folder, stylizer):
    (folder / "photos/bad.png").write_bytes((folder / "photos/a.png").read_bytes()[:100])
    (folder / "art/bad.png").write_text("no picture")
    gone = folder / "photos/gone.png"
    damaged = folder / "style.safetensors"
    damaged.write_bytes(HOKUSAI.read_bytes()[:50])
    styles = [*art(folder)[:2], SavedStyle(damaged)]
    outcomes = list(paint_files(make_jobs([*photos(folder), gone], styles, folder / "out"), stylizer))
    found = {outcome.job.target.stem: outcome.result for outcome in outcomes}
    assert [name for name, result in found.items() if result is PaintResult.PAINTED] == ["a__one", "b__one"]
    assert set(found.values()) == {PaintResult.PAINTED, PaintResult.FAILED}
    sentences = {outcome.sentence for outcome in outcomes if outcome.sentence}
    assert (
        f"{folder / 'photos/bad.png'} is not a picture that can be read; choose a whole picture." in sentences
    )
    assert f"{folder / 'art/bad.png'} is not a picture that can be read; choose a whole picture." in sentences
    assert (
        f"{gone} cannot be read: No such file or directory; name another file, or mend this one." in sentences
    )
    assert any(sentence.startswith("style.safetensors ") for sentence in sentences)
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a__one.png", "b__one.png"]


def test_a_picture_too_large_for_its_format_is_not_painted(folder, stylizer):
    Image.new("RGB", (16384, 1)).save(folder / "wide.png")
    started = []
    jobs = make_jobs([folder / "wide.png"], art(folder)[:1], folder / "out", ".webp")
    (outcome,) = paint_files(jobs, stylizer, on_step=started.append)
    assert outcome.result is PaintResult.FAILED
    assert "a WEBP file holds at most 16383 a side" in outcome.sentence


def test_a_photo_is_read_once_for_all_styles(folder, stylizer, monkeypatch):
    read, encoded = [], []
    real = photo_reading.read_with_metadata
    monkeypatch.setattr(photo_reading, "read_with_metadata", lambda path: read.append(path) or real(path))
    encode = stylizer.gan.encode_content
    monkeypatch.setattr(stylizer.gan, "encode_content", lambda photo: encoded.append(1) or encode(photo))
    outcomes = list(paint_files(make_jobs(photos(folder), art(folder), folder / "out"), stylizer))
    assert results(outcomes) == [PaintResult.PAINTED] * 4
    assert read == photos(folder)
    assert len(encoded) == 2
    assert stylizer._content is None


def test_memory_that_runs_out_is_told(folder, stylizer, monkeypatch):
    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    # Neither the whole picture fits, nor the smallest tile.
    monkeypatch.setattr(stylizer.gan.content_encoder.stem, "forward", full)
    (outcome,) = paint_files(make_jobs(photos(folder)[:1], art(folder)[:1], folder / "out"), stylizer)
    assert outcome.result is PaintResult.FAILED
    assert "does not fit into the memory of the device cpu; scale it down" in outcome.sentence


def test_stopped_in_the_middle_nothing_half_is_left(folder, gan):
    refining = Stylizer(gan, StylizeOptions(refine=RefineOptions("draft", steps=4)))
    jobs = make_jobs(photos(folder), art(folder)[:1], folder / "out")
    steps = []

    def on_step(step):
        steps.append(step)
        if len(steps) == step.steps + 2:
            raise KeyboardInterrupt

    outcomes = []
    with pytest.raises(KeyboardInterrupt):
        outcomes.extend(paint_files(jobs, refining, on_step=on_step))
    assert [path.name for path in (folder / "out").iterdir()] == ["a__one.png"]
    assert results(paint_files(jobs, refining)) == [PaintResult.SKIPPED, PaintResult.PAINTED]
    settings = read_settings(jobs[1].target)
    assert settings["refine"]["quality"] == "draft"
    assert settings["refine"]["steps"] == 4


def test_outcomes_come_in_order_while_the_next_photo_is_painted(folder, stylizer, monkeypatch):
    """The last painting is written while the next one is painted, and the next photo is read already."""
    for name in ("c", "d"):
        (folder / f"photos/{name}.png").write_bytes((folder / "photos/a.png").read_bytes())
    (folder / "photos/bad.png").write_text("no picture")
    events, real = [], photo_reading.read_with_metadata
    monkeypatch.setattr(
        photo_reading, "read_with_metadata", lambda path: events.append(("read", path.stem)) or real(path)
    )
    jobs = make_jobs(photos(folder), art(folder)[:1], folder / "out")
    outcomes = []
    for outcome in paint_files(jobs, stylizer, on_start=lambda job: events.append(("paint", job.photo.stem))):
        events.append(("told", outcome.job.photo.stem))
        outcomes.append(outcome)
        assert outcome.result is PaintResult.FAILED or outcome.job.target.exists()
    assert [outcome.job for outcome in outcomes] == jobs
    assert [each.photo.stem for each in jobs] == ["a", "b", "bad", "c", "d"]
    assert [kind for kind, name in events if name == "bad"] == ["read", "told"]
    for name, following in (("a", "b"), ("c", "d")):
        assert events.index(("read", following)) < events.index(("told", name))
        assert events.index(("paint", name)) < events.index(("told", name))


def test_stopped_while_it_paints_what_was_painted_is_told_and_written(folder, stylizer):
    jobs = make_jobs(photos(folder), art(folder)[:1], folder / "out")

    def on_start(job):
        if job is jobs[1]:
            raise KeyboardInterrupt

    outcomes = []
    with pytest.raises(KeyboardInterrupt):
        outcomes.extend(paint_files(jobs, stylizer, on_start=on_start))
    assert [(each.job, each.result) for each in outcomes] == [(jobs[0], PaintResult.PAINTED)]
    assert [path.name for path in (folder / "out").iterdir()] == ["a__one.png"]


def test_a_place_that_cannot_be_written_ends_it(folder, stylizer):
    (folder / "file").write_text("")
    jobs = make_jobs(photos(folder), art(folder)[:1], folder / "file")
    with pytest.raises(WriteError, match=r"a__one\.png cannot be written: \w.*; name another place\."):
        list(paint_files(jobs, stylizer))


def test_a_folder_in_the_place_of_a_picture_is_one_bad_item(folder, stylizer):
    (folder / "place.png").mkdir()
    photo, painting = photos(folder)[0], art(folder)[0]
    jobs = [PaintJob(photo, painting, folder / name) for name in ("place.png", "other.png")]
    outcomes = list(paint_files(jobs, stylizer, overwrite=True))
    assert [each.result for each in outcomes] == [PaintResult.FAILED, PaintResult.PAINTED]
    assert "place.png is a folder, where a file is to be written; move it away" in outcomes[0].sentence


def test_numbers_of_numpy_are_written(folder, gan):
    """JSON does not know them, and the painting is done by then."""
    options = StylizeOptions(np.float32(0.5), seed=np.int64(3))
    jobs = make_jobs(photos(folder)[:1], art(folder)[:1], folder / "out")
    assert results(paint_files(jobs, Stylizer(gan, options))) == [PaintResult.PAINTED]
    assert results(paint_files(jobs, Stylizer(gan, StylizeOptions(0.5, seed=3)))) == [PaintResult.SKIPPED]
