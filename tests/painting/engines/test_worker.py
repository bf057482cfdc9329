"""A worker by itself: jobs in, records out, and what it refuses. It needs no Ray."""

from __future__ import annotations

import json
import os
import socket
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from ray_machines import make_photos
from tiny_network import TINY

from brushwork.base.shipped import STYLES_DIR
from brushwork.models.style_file import StyleFile, write_style
from brushwork.models.style_gan import StyleGAN
from brushwork.painting.engines.worker import OutcomeRecord, Worker, WorkerSetup, share_text
from brushwork.painting.errors import EngineError, WriteError
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.folders import paint_files
from brushwork.painting.jobs import make_jobs
from brushwork.painting.styles import MixedStyle, PaintingStyle, SavedStyle, mixed
from brushwork.painting.stylizer import StylizeOptions, Stylizer
from brushwork.pictures.limits import VARIABLE, raised_by

HOKUSAI = SavedStyle(STYLES_DIR / "hokusai-great-wave.safetensors")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A tiny network as a file."""
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    StyleGAN(TINY).save(path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """photos/ with three photos, art.png, and an empty out/ with the file that workers look for."""
    make_photos(tmp_path / "photos", 3)
    Image.linear_gradient("L").convert("RGB").resize((48, 48)).save(tmp_path / "art.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.shared").touch()
    # A worker may change both.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "128")
    return tmp_path


def setup_of(here, checkpoint, styles, **changes):
    known = Stylizer.load(checkpoint, device="cpu")
    plain = WorkerSetup(
        tuple(styles),
        StylizeOptions(),
        SteadyOptions(),
        checkpoint,
        "cpu",
        0,
        False,
        known.network,
        here / "out/.shared",
        None,
    )
    return replace(plain, **changes)


def share_of(jobs, styles):
    return share_text(list(enumerate(jobs, 7)), {style: place for place, style in enumerate(styles)})


def records(worker, share):
    return [OutcomeRecord.of_text(text) for text in worker.paint(share)]


def test_it_paints_the_files_that_one_process_paints(folder, checkpoint):
    styles = [PaintingStyle(folder / "art.png")]
    (folder / "photos/bad.png").write_text("no picture")
    photos = sorted((folder / "photos").iterdir())
    jobs = make_jobs(photos, styles, folder / "out")
    alone = make_jobs(photos, styles, folder / "alone")
    stylizer = Stylizer.load(checkpoint, device="cpu")
    sentences = [outcome.sentence for outcome in paint_files(alone, stylizer)]
    worker = Worker(setup_of(folder, checkpoint, styles))
    found = records(worker, share_of(jobs, styles))
    assert [(each.number, each.result) for each in found] == [
        (7, "painted"),
        (8, "painted"),
        (9, "painted"),
        (10, "failed"),
    ]
    assert [each.sentence for each in found] == sentences
    assert [each.target.read_bytes() for each in jobs[:3]] == [each.target.read_bytes() for each in alone[:3]]
    # Once more, as after the death of its first worker.
    before = [each.target.stat().st_mtime_ns for each in jobs[:3]]
    assert [each.result for each in records(worker, share_of(jobs, styles))] == ["skipped"] * 3 + ["failed"]
    assert [each.target.stat().st_mtime_ns for each in jobs[:3]] == before


def test_names_that_no_encoding_has_travel_as_they_are(folder, checkpoint):
    if os.name == "nt":
        pytest.skip("names are Unicode there")
    odd = Path(os.fsdecode(bytes(folder / "photos") + b"/caf\xe9.png"))
    try:
        odd.write_text("no picture")
    except OSError:
        pytest.skip("this file system has only Unicode names")
    styles = [PaintingStyle(folder / "art.png")]
    jobs = make_jobs([odd], styles, folder / "out")
    assert share_of(jobs, styles).isascii()
    (record,) = records(Worker(setup_of(folder, checkpoint, styles)), share_of(jobs, styles))
    assert record.sentence == f"{odd} is not a picture that can be read; choose a whole picture."


def test_warnings_are_notes(folder, checkpoint):
    style, gan = folder / "other.safetensors", StyleGAN(TINY)
    code = gan.encode_style(torch.rand(1, 3, 64, 64)).detach()
    write_style(style, replace(StyleFile.made_by(gan, code, "Other"), encoder="0" * 16))
    jobs = make_jobs([folder / "photos/0000.png"], [SavedStyle(style)], folder / "out")
    worker = Worker(setup_of(folder, checkpoint, [SavedStyle(style)]))
    (record,) = records(worker, share_of(jobs, [SavedStyle(style)]))
    assert record.result == "painted"
    assert len(record.notes) == 1
    assert "was made with another network's style encoder" in record.notes[0]


@pytest.mark.parametrize("mix", [False, True])
def test_styles_of_the_library_are_those_of_the_worker(folder, mix):
    elsewhere = Path("/another/machine/styles")
    styles = [SavedStyle(elsewhere / HOKUSAI.path.name), PaintingStyle(folder / "art.png")]
    asked = mixed(styles) if mix else styles[0]
    own = mixed([HOKUSAI, styles[1]]) if mix else HOKUSAI
    jobs = make_jobs([folder / "photos/0000.png"], [own], folder / "out")
    setup = setup_of(folder, None, [asked], styles_dir=elsewhere)
    (record,) = records(Worker(setup), share_of(jobs, [own]))
    assert (record.result, record.sentence) == ("painted", "")
    assert isinstance(asked, MixedStyle) is mix


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "9.9"}, "and this one 9.9; install the same everywhere"),
        (
            {"folder": Path("/no/such/folder")},
            "has no folder /no/such/folder, where this command was started",
        ),
        ({"marker": Path("/no/such/out/.shared")}, "does not see what is in /no/such/out"),
        ({"device": "abacus"}, "cannot paint: The device abacus cannot be used here"),
        ({"network": {"file": "tiny.safetensors", "sha256": "0"}}, "has another network than this one"),
    ],
)
def test_a_machine_that_cannot_paint_the_same_ends_all(folder, checkpoint, changes, message):
    styles = [PaintingStyle(folder / "art.png")]
    jobs = make_jobs([folder / "photos/0000.png"], styles, folder / "out")
    (record,) = records(Worker(setup_of(folder, checkpoint, styles, **changes)), share_of(jobs, styles))
    with pytest.raises(EngineError) as told:
        record.raise_if_stop()
    sentence = str(told.value)
    assert sentence.startswith(f"The machine {socket.gethostname()} ")
    assert message.replace("/", os.sep) in sentence
    assert os.listdir(folder / "out") == [".shared"]


def test_a_result_that_cannot_be_written_ends_all(folder, checkpoint):
    (folder / "taken").write_text("")
    styles = [PaintingStyle(folder / "art.png")]
    jobs = make_jobs([folder / "photos/0000.png"], styles, folder / "taken")
    (record,) = records(Worker(setup_of(folder, checkpoint, styles)), share_of(jobs, styles))
    with pytest.raises(WriteError, match=r"cannot be written: .*; name another place\."):
        record.raise_if_stop()


def test_a_fault_comes_with_its_traceback(folder, checkpoint):
    worker = Worker(setup_of(folder, checkpoint, []))
    (record,) = records(worker, json.dumps([[0, "a.png", 3, "b.png"]]))
    with pytest.raises(RuntimeError, match=r"A worker failed\.\nTraceback[^$]*IndexError"):
        record.raise_if_stop()


@pytest.mark.parametrize("option", [None, "--max-megapixels"])
def test_the_pixel_limit_travels_and_how_it_is_raised(folder, checkpoint, monkeypatch, option):
    monkeypatch.setenv(VARIABLE, "0.001")
    styles = [PaintingStyle(folder / "art.png")]
    with nullcontext() if option is None else raised_by(option):
        setup = setup_of(folder, checkpoint, styles)
    monkeypatch.setenv(VARIABLE, "128")
    jobs = make_jobs([folder / "photos/0000.png"], styles, folder / "out")
    (record,) = records(Worker(setup), share_of(jobs, styles))
    assert record.result == "failed"
    way = option or f"the environment variable {VARIABLE}"
    assert record.sentence.endswith(f"; scale it down, or raise the limit with {way}.")
