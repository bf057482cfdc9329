"""Photos that go through the network in one call: the same pictures and outcomes as one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.base.shipped import STYLES_DIR
from brushwork.painting import batches
from brushwork.painting.batches import file_threads, neighbors, pictures_at_once
from brushwork.painting.engines.worker import OutcomeRecord, Worker, WorkerSetup, share_text
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.folders import PaintResult, make_jobs, paint_files
from brushwork.painting.options import RefineOptions
from brushwork.painting.styles import RandomStyle, SavedStyle
from brushwork.painting.stylizer import StylizeOptions, Stylizer
from brushwork.painting.tile_size import Plan
from brushwork.pictures.metadata import read_settings
from brushwork.pictures.tensors import as_tensor

HOKUSAI = SavedStyle(STYLES_DIR / "hokusai-great-wave.safetensors")
CPU, GPU = torch.device("cpu"), torch.device("cuda")

# In the order of their names: sizes, of which neighbours agree.
SIZES = {"a": (75, 62), "b": (75, 62), "c": (75, 62), "d": (62, 75), "e": (62, 75), "f": (75, 62)}


@pytest.fixture
def folder(inputs_dir: Path, tmp_path: Path) -> Path:
    """photos/a.png … f.png: parts of the photos that ship, with pixel grids of their own."""
    (tmp_path / "photos").mkdir()
    sources = sorted(inputs_dir.glob("photo-*"))
    for k, (name, size) in enumerate(SIZES.items()):
        with Image.open(sources[k % len(sources)]) as image:
            part = image.convert("RGB").reduce(2)
            part.crop((31 + k, 17, 31 + k + size[0], 17 + size[1])).save(tmp_path / f"photos/{name}.png")
    return tmp_path


def photos(folder):
    return sorted((folder / "photos").iterdir())


@pytest.fixture
def calls(gan, monkeypatch):
    """How many pictures each call of the generator painted."""
    found, real = [], gan.generator.forward

    def forward(content, w, how, noise=None, shares=None):
        found.append(content.batch)
        return real(content, w, how, noise, shares)

    monkeypatch.setattr(gan.generator, "forward", forward)
    return found


def levels(path):
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_one_by_one_on_a_cpu_and_many_on_a_gpu(monkeypatch):
    monkeypatch.setattr(batches, "free_memory", lambda device: 100 * 2**30)
    assert pictures_at_once((512, 512), CPU) == pictures_at_once((64, 64), torch.device("mps")) == 1
    assert pictures_at_once((512, 512), GPU) == 32
    assert pictures_at_once((1024, 1024), GPU) == 16
    assert pictures_at_once((2160, 3840), GPU) == 2
    assert pictures_at_once((4320, 7680), GPU) == 1
    # Half of the memory, and one picture however little there is.
    monkeypatch.setattr(batches, "free_memory", lambda device: 10 * 170 * 512**2)
    assert pictures_at_once((512, 512), GPU) == 5
    assert pictures_at_once((2160, 3840), GPU) == 1


def test_more_threads_only_where_pictures_are_painted_together(monkeypatch):
    monkeypatch.setattr(batches, "free_memory", lambda device: 100 * 2**30)
    monkeypatch.setattr(batches.os, "cpu_count", lambda: 6)
    assert file_threads(CPU) == (1, 1)
    assert file_threads(GPU) == file_threads(CPU, wanted=2) == (4, 6)


def test_nothing_is_read_behind_a_full_list():
    read = []

    def items():
        for item in "aab.b.":
            read.append(item)
            yield item

    found = neighbors(items(), lambda item: 2, lambda item: None if item == "." else item)
    assert next(found) == ["a", "a"]
    assert read == ["a", "a"]
    assert list(found) == [["b", "."], ["b", "."]]


@pytest.mark.parametrize(
    "options",
    [
        StylizeOptions(seed=11),
        StylizeOptions(0.6, "luminance", stroke_size=2.0, seed=2**64 - 1),
        StylizeOptions(0.0, "histogram"),
        StylizeOptions(0.9, "histogram", stroke_size=0.5),
    ],
    ids=["plain", "luminance", "nothing", "histogram"],
)
def test_a_picture_is_the_same_alone_and_in_a_batch(gan, folder, calls, options):
    together = [as_tensor(Image.open(path)) for path in photos(folder)[:3]]
    alone = [Stylizer(gan, options).paint(photo, HOKUSAI) for photo in together]
    calls.clear()
    found = Stylizer(gan, options, batch=3).paint_together(together, HOKUSAI)
    assert set(calls) <= {3}
    assert all(picture.shape == photo.shape for picture, photo in zip(found, together, strict=True))
    worst = max(float((a - b).abs().max()) for a, b in zip(found, alone, strict=True))
    # Colours enlarge rounding errors at the ends of their range.
    assert worst < (1e-5 if options.preserve_color == "off" else 1 / 255)


def test_a_folder_is_painted_as_one_by_one(gan, folder, calls):
    options = StylizeOptions(seed=5)
    alone = make_jobs(photos(folder), [HOKUSAI], folder / "alone")
    assert {each.result for each in paint_files(alone, Stylizer(gan, options))} == {PaintResult.PAINTED}
    assert calls == [1] * 6
    calls.clear()
    jobs, started = make_jobs(photos(folder), [HOKUSAI], folder / "out"), []
    outcomes = list(paint_files(jobs, Stylizer(gan, options, batch=4), on_start=started.append))
    # Neighbours of one size: a b c, d e, f.
    assert calls == [3, 2, 1]
    assert [each.job for each in outcomes] == started == jobs
    assert all(each.result is PaintResult.PAINTED and each.seconds > 0 for each in outcomes)
    for job, other in zip(jobs, alone, strict=True):
        assert np.abs(levels(job.target) - levels(other.target)).max() <= 1
        assert read_settings(job.target) == read_settings(other.target)
    before = [job.target.stat().st_mtime_ns for job in jobs]
    again = list(paint_files(jobs, Stylizer(gan, options, batch=2)))
    assert {each.result for each in again} == {PaintResult.SKIPPED}
    assert [job.target.stat().st_mtime_ns for job in jobs] == before


def test_several_styles_share_what_was_read(gan, folder, calls, monkeypatch):
    encoded, real = [], gan.encode_content
    monkeypatch.setattr(gan, "encode_content", lambda photo: encoded.append(len(photo)) or real(photo))
    styles = [HOKUSAI, RandomStyle(7)]
    alone = make_jobs(photos(folder)[:3], styles, folder / "alone")
    list(paint_files(alone, Stylizer(gan)))
    calls.clear()
    encoded.clear()
    jobs = make_jobs(photos(folder)[:3], styles, folder / "out")
    outcomes = list(paint_files(jobs, Stylizer(gan, batch=6)))
    assert [each.job for each in outcomes] == jobs
    # Each call has one style.
    assert (encoded, calls) == ([3], [3, 3])
    for job, other in zip(jobs, alone, strict=True):
        assert np.abs(levels(job.target) - levels(other.target)).max() <= 1


def test_a_bad_file_in_the_middle_is_told_in_its_place(gan, folder, calls):
    (folder / "photos/b.png").write_text("no picture")
    jobs = make_jobs(photos(folder), [HOKUSAI], folder / "out")
    jobs[4].target.parent.mkdir()
    jobs[4].target.write_bytes(b"mine")
    outcomes = list(paint_files(jobs, Stylizer(gan, batch=4)))
    assert [each.job for each in outcomes] == jobs
    assert [each.result.value for each in outcomes] == [
        "painted",
        "failed",
        "painted",
        "painted",
        "occupied",
        "painted",
    ]
    assert "b.png is not a picture that can be read" in outcomes[1].sentence
    assert calls == [2, 1, 1]
    assert sorted(path.name[0] for path in (folder / "out").iterdir()) == ["a", "c", "d", "e", "f"]


def test_a_style_that_cannot_be_read_fails_each_picture(gan, folder, tmp_path):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(HOKUSAI.path.read_bytes()[:99])
    jobs = make_jobs(photos(folder)[:2], [SavedStyle(damaged), HOKUSAI], folder / "out")
    outcomes = list(paint_files(jobs, Stylizer(gan, batch=4)))
    assert [each.result.value for each in outcomes] == ["failed", "painted"] * 2
    assert all("damaged.safetensors" in each.sentence for each in outcomes[::2])


def test_memory_that_runs_out_makes_batches_smaller(gan, folder, calls, monkeypatch):
    jobs = make_jobs(photos(folder)[:3], [HOKUSAI], folder / "out")
    real, told = gan.content_encoder.stem.forward, []

    def forward(x, **borders):
        if len(x) > 1:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory")
        return real(x, **borders)

    monkeypatch.setattr(gan.content_encoder.stem, "forward", forward)
    outcomes = list(paint_files(jobs, Stylizer(gan, batch=4), on_note=told.append))
    assert {each.result for each in outcomes} == {PaintResult.PAINTED}
    assert calls == [1, 1, 1]
    assert told == ["Memory ran out: the picture is now painted on the CPU in one piece."]
    assert Plan(CPU, 0, 2).words == "on the CPU, 2 in one call"


def test_memory_that_no_picture_fits_into_is_told_for_each(gan, folder, monkeypatch):
    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(gan.content_encoder.stem, "forward", full)
    outcomes = list(paint_files(make_jobs(photos(folder)[:2], [HOKUSAI], folder), Stylizer(gan, batch=2)))
    assert [each.result for each in outcomes] == [PaintResult.FAILED] * 2
    assert all("does not fit into the memory of the device cpu" in each.sentence for each in outcomes)


def test_stopped_within_a_batch_what_was_told_is_whole(gan, folder):
    jobs = make_jobs(photos(folder)[:3], [HOKUSAI], folder / "out")

    def on_start(job):
        if job is jobs[2]:
            raise KeyboardInterrupt

    outcomes = []
    with pytest.raises(KeyboardInterrupt):
        outcomes.extend(paint_files(jobs, Stylizer(gan, batch=3), on_start=on_start))
    assert [each.job for each in outcomes] == jobs[:2]
    assert sorted(path.name for path in (folder / "out").iterdir()) == [job.target.name for job in jobs[:2]]
    again = list(paint_files(jobs, Stylizer(gan, batch=3)))
    assert [each.result.value for each in again] == ["skipped", "skipped", "painted"]


def test_tiles_and_refining_take_one_picture(gan):
    refining = StylizeOptions(refine=RefineOptions("draft", steps=1))
    assert Stylizer(gan, refining, batch=8).most_together((64, 64)) == 1
    assert Stylizer(gan, tile=64, batch=8).most_together((64, 65)) == 1
    assert Stylizer(gan, tile=64, batch=8).most_together((64, 64)) == 8
    assert Stylizer(gan).most_together((64, 64)) == 1
    with pytest.raises(ValueError, match="batch is -1; give 1 picture or more, or 0"):
        Stylizer(gan, batch=-1)
    for wrong in (1.5, "3", None, True):
        with pytest.raises(ValueError, match=r"^batch is .*; give a whole number of pictures\.$"):
            Stylizer(gan, batch=wrong)
        with pytest.raises(ValueError, match=r"^tile is .*; give a whole number of pixels\.$"):
            Stylizer(gan, tile=wrong)


def test_pictures_of_another_shape_are_refused_before_painting(gan, calls):
    stylizer, photo = Stylizer(gan), torch.rand(1, 3, 24, 20)
    for wrong in (photo[0], photo[:, :1], photo.expand(2, -1, -1, -1), photo[:, :, :0], photo[..., None]):
        with pytest.raises(ValueError, match=r"^The photo has shape .*; it must be \[1, 3, height, width\]"):
            stylizer.paint(wrong, HOKUSAI)
        with pytest.raises(ValueError, match=r"^The photo has shape "):
            stylizer.paint_together([photo, wrong], HOKUSAI)
    with pytest.raises(ValueError, match=r"^The photo is torch.uint8; convert it"):
        stylizer.paint(photo.byte(), HOKUSAI)
    with pytest.raises(ValueError, match=r"^The photos have several sizes; paint those of one size together"):
        stylizer.paint_together([photo, photo[:, :, :20]], HOKUSAI)
    assert stylizer.paint_together([], HOKUSAI) == []
    assert not calls


def test_a_worker_of_ray_paints_batches(gan, folder):
    """With the shipped network, which it loads from its file."""
    alone = make_jobs(photos(folder), [HOKUSAI], folder / "alone")
    stylizer = Stylizer.load(device="cpu")
    list(paint_files(alone, stylizer))
    jobs = make_jobs(photos(folder), [HOKUSAI], folder / "out")
    (folder / "out").mkdir()
    (folder / "out/.shared").touch()
    setup = WorkerSetup(
        (HOKUSAI,),
        StylizeOptions(),
        SteadyOptions(),
        None,
        "cpu",
        0,
        False,
        stylizer.network,
        folder / "out/.shared",
        None,
        batch=4,
    )
    worker = Worker(setup)
    found = [
        OutcomeRecord.of_text(text) for text in worker.paint(share_text([*enumerate(jobs)], {HOKUSAI: 0}))
    ]
    assert [(each.number, each.result) for each in found] == [(k, "painted") for k in range(6)]
    assert worker._stylizer is not None
    assert worker._stylizer.most_together((62, 75)) == 4
    for job, other in zip(jobs, alone, strict=True):
        assert np.abs(levels(job.target) - levels(other.target)).max() <= 1
