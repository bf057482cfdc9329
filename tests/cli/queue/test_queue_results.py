"""Names of results, and a folder of results that holds what nobody expects or cannot be written."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext

import pytest
from stand_in_comfyui import WORKFLOW, picture_bytes

from brushwork.base import temporary
from brushwork.cli.queue import manifest


def test_the_second_result_of_one_and_the_first_of_another(comfy, queue, tmp_path):
    """IMG's second result was overwritten by the result of IMG~2."""
    folder = tmp_path / "twins"
    folder.mkdir()
    for name in ("IMG.jpg", "IMG~2.jpg", "IMG~2~1.jpg"):
        (folder / name).write_bytes(picture_bytes("JPEG"))
    second = {"3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "second"}}}
    options = ["--content", folder]
    result = queue(comfy.url("good twins"), workflow=WORKFLOW | second, options=options)
    assert result.code == 0
    named = sorted(name for line in result.lines for name in line["files"])
    assert named == result.files
    assert len(set(named)) == 6
    assert {"IMG.png", "IMG~2.png", "IMG~2~1.png"} <= set(named)
    again = queue(comfy.url("good twins"), workflow=WORKFLOW | second, options=options)
    assert "3 of 3 are there already." in again.err


def test_a_photo_is_never_overwritten_by_its_result(comfy, queue, photos):
    before = (photos / "p0.png").read_bytes()
    result = queue(comfy.url("good"), options=["--out", photos, "--overwrite"])
    assert result.code == 2
    assert "holds p0.png, and a result would have its name; name another folder." in result.err
    assert (photos / "p0.png").read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_photo_is_not_overwritten_through_a_link(comfy, queue, photos, tmp_path):
    before = (photos / "p0.png").read_bytes()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "p0.png").symlink_to(photos / "p0.png")
    result = queue(comfy.url("good"), options=["--out", tmp_path / "links", "--overwrite"])
    assert result.code == 2
    assert "holds p0.png, and a result would have its name; name another folder." in result.err
    assert (photos / "p0.png").read_bytes() == before


def test_results_among_the_photos_are_no_photos(comfy, queue, photos):
    options = ["--out", photos / "painted"]
    assert queue(comfy.url("good"), options=options).code == 0
    assert "3 of 3 are there already." in queue(comfy.url("good"), options=options).err


def test_notes_are_no_results(comfy, queue, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p0.txt").write_text("my notes")
    assert queue(comfy.url("good")).out.count(".png") == 3


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names there are Unicode")
def test_names_that_are_not_utf_8(comfy, queue, tmp_path):
    folder = tmp_path / "bytes"
    folder.mkdir()
    for name in (b"caf\xe9.png", b"[b] \x1b[2J.png", "\u202egnp.png".encode(), b"a" * 200 + b".png"):
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(picture_bytes())
    result = queue(comfy.url("good"), options=["--content", folder])
    assert result.code == 0
    assert len(result.files) == 4
    assert "caf_" in [line["job"] for line in result.lines]


def test_the_folder_is_below_a_file(comfy, queue, tmp_path):
    (tmp_path / "file").write_text("")
    result = queue(comfy.url("good"), options=["--out", tmp_path / "file" / "out"])
    assert result.code == 2
    assert "cannot be made: Not a directory; name another folder." in result.err


def test_a_folder_in_the_place_of_a_result(comfy, queue, tmp_path):
    (tmp_path / "out" / "p1.png").mkdir(parents=True)
    result = queue(comfy.url("good"))
    assert result.code == 1
    assert "p1.png cannot be written: Is a directory; move that folder away" in result.err
    (tmp_path / "out" / "p1.png").rmdir()
    assert result.files == ["p0.png", "p2.png"]
    assert queue(comfy.url("good")).files == ["p0.png", "p1.png", "p2.png"]


def test_a_folder_in_the_place_of_the_manifest(comfy, queue, tmp_path):
    (tmp_path / "out" / "manifest.jsonl").mkdir(parents=True)
    result = queue(comfy.url("good"))
    assert result.code == 2
    assert "manifest.jsonl cannot be written: Is a directory; move that folder away." in result.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("full", [".p1.part", "manifest.jsonl"])
def test_a_full_disk(comfy, queue, tmp_path, monkeypatch, full):
    """/dev/full answers every write as a full disk does."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / full).symlink_to("/dev/full")
    with monkeypatch.context() as patch:
        # The names of temporary files are drawn.
        patch.setattr(manifest, "temporary_file", lambda beside: nullcontext(beside.with_name(".p1.part")))
        result = queue(comfy.url("good"))
    assert result.code == 2
    assert (
        "cannot be written: No space left on device; make room on the disk and give the same command"
        in result.err
    )
    assert "Traceback" not in result.err
    (tmp_path / "out" / full).unlink(missing_ok=True)
    again = queue(comfy.url("good"))
    assert (again.code, again.files) == (0, ["p0.png", "p1.png", "p2.png"])


def test_what_a_killed_queue_left_goes(comfy, queue, tmp_path, monkeypatch):
    """Also if the job whose result it was is not painted again."""
    (tmp_path / "out").mkdir()
    left = tmp_path / "out" / f".gone{temporary._MARK}{temporary._MACHINE}.0.1.part"
    left.write_bytes(b"half a picture")
    os.utime(left, (0, 0))
    monkeypatch.setattr(temporary, "_swept", set())
    assert queue(comfy.url("good")).files == ["p0.png", "p1.png", "p2.png"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(comfy, queue, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    result = queue(comfy.url("good"))
    (tmp_path / "out").chmod(0o700)
    assert result.code == 2
    assert (
        "cannot be written: Permission denied; change the rights of the folder, or name another" in result.err
    )


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000, b"null", b"[1]", b'{"status": "done", "job": [1], "digest": "x"}', b"\xff\xfe",
        b"9" * 10_000,
        b'{"status": "done", "job": "p0", "digest": {"a": 1}}', b"a" * 3_000_000, b'{"status": NaN}',
    ],
    ids=range(9),
)  # fmt: skip
def test_a_manifest_of_something_else(comfy, queue, tmp_path, line):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.jsonl").write_bytes(line + b"\n")
    assert queue(comfy.url("good")).files == ["p0.png", "p1.png", "p2.png"]
    done = [json.loads(text) for text in (tmp_path / "out" / "manifest.jsonl").read_bytes().splitlines()[1:]]
    assert {entry["job"] for entry in done} == {"p0", "p1", "p2"}


def test_nobody_reads_the_names(comfy, queue, monkeypatch):
    """As `| head` does: the pipe is closed, and the painting goes on."""
    read, write = os.pipe()
    os.close(read)
    with monkeypatch.context() as patch, open(write, "w") as pipe:
        patch.setattr("sys.stdout", pipe)
        result = queue(comfy.url("good"))
        assert (result.code, len(result.files)) == (0, 3)
