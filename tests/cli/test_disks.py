"""Disks that are full, out of names or read-only: each command says so in one sentence, and which file."""

from __future__ import annotations

import json
import os

import pytest
from small_disk import make_read_only, needs_root, small_disk
from tiny_network import TINY

from brushwork.base import temporary
from brushwork.cli.main import main
from brushwork.models.style_gan import StyleGAN

FULL = "No space left on device"
READ_ONLY = "Read-only file system"

# Options of the disk, whether it becomes read-only, and what the system then says.
DISKS = {
    "full": ("size=4k", False, FULL),
    "no names left": ("size=8m,nr_inodes=2", False, FULL),
    "read-only": ("size=8m", True, READ_ONLY),
}


@pytest.fixture
def commands(tmp_path, photos):
    """What writes into the folder `out`, by the command."""
    network, workflow = tmp_path / "tiny.safetensors", tmp_path / "copy.json"
    StyleGAN(TINY).save(network)
    loads = {"class_type": "LoadImage", "inputs": {"image": photos[0].name}}
    saves = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}}
    workflow.write_text(json.dumps({"1": loads, "2": saves}))
    photo, folder = str(photos[0]), str(photos[0].parent)
    return lambda command, out: {
        "paint": ["paint", photo, "--style", photo, "--out", out, "--checkpoint", str(network)],
        "encode": ["encode", photo, "--out", out, "--checkpoint", str(network)],
        "dataset": ["dataset", folder, "--sheet", f"{out}/sheet.jpg"],
        "judge": ["judge", "sheet", folder, folder, "--names", "A", "B", "--out", out],
        "render": ["render", str(workflow), "--input-dir", folder, "--output-dir", out],
    }[command]


@needs_root
@pytest.mark.parametrize("kind", DISKS)
@pytest.mark.parametrize("command", ["paint", "encode", "dataset", "judge", "render"])
def test_a_disk_that_takes_nothing(commands, command, kind, tmp_path, monkeypatch, capsys):
    options, read_only, reason = DISKS[kind]
    monkeypatch.setattr(temporary, "_swept", set())
    with small_disk(tmp_path / "disk", options) as disk:
        out = disk / "out"
        out.mkdir()
        if read_only:
            make_read_only(disk)
        assert main(commands(command, str(out))) == 2
        sentence = capsys.readouterr().err.splitlines()[-1]
        assert [path.name for path in out.rglob("*") if path.is_file()] == []
    assert sentence.startswith(f"brushwork {command}: ")
    assert reason in sentence
    assert str(out) in sentence
    assert ".part" not in sentence
    assert "Error" not in sentence


@needs_root
@pytest.mark.parametrize("command", ["evaluate", "dataset", "judge"])
def test_a_read_only_disk_is_told_before_the_pictures_are_read(command, tmp_path, capsys):
    """There are none in this folder, which would be told first."""
    (tmp_path / "empty").mkdir()
    empty = str(tmp_path / "empty")
    with small_disk(tmp_path / "disk", "size=8m") as disk:
        make_read_only(disk)
        option, place = ("--out" if command == "judge" else "--json"), disk / "new" / "a.json"
        line = {
            "evaluate": ["evaluate", "--content", empty, "--style", empty],
            "dataset": ["dataset", empty],
            "judge": ["judge", "sheet", empty, empty, "--names", "A", "B"],
        }[command]
        assert main([*line, option, str(place)]) == 2
    sentence = f"{option} {place} cannot be written: {READ_ONLY}; name another place."
    assert capsys.readouterr().err == f"brushwork {command}: {sentence}\n"


def test_a_file_above_the_results(commands, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for command in ("paint", "encode", "dataset", "judge", "render"):
        assert main(commands(command, str(tmp_path / "file" / "out"))) == 2
        sentence = capsys.readouterr().err.splitlines()[-1]
        # A report is refused before the pictures are read.
        early = f"{tmp_path / 'file'} is a file; name another place."
        assert (early if command == "dataset" else "Not a directory") in sentence
        assert str(tmp_path / "file" / "out") in sentence


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_to_what_is_not_there_in_the_place_of_the_results(commands, photos, tmp_path, capsys):
    drive = tmp_path / "drive"
    drive.symlink_to(tmp_path / "not connected")
    queue = ["queue", "stylize_photo", "--content", str(photos[0].parent), "--out"]
    for command in ("paint", "encode", "dataset", "judge", "render", "queue", "train"):
        out = drive / "out"
        train = ["train", "--style", str(photos[0].parent), "--dry-run", "--out", str(out)]
        line = {"queue": [*queue, str(out)], "train": train}.get(command) or commands(command, str(out))
        assert main(line) == 2
        sentence = capsys.readouterr().err.splitlines()[-1]
        assert sentence.startswith(f"brushwork {command}: ")
        assert f"{drive} is a link to what is not there" in sentence, sentence
    assert not (tmp_path / "not connected").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_to_itself_in_the_place_of_the_results(commands, photos, tmp_path, capsys):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for command in ("paint", "encode", "judge", "render"):
        assert main(commands(command, str(loop))) == 2
        sentence = capsys.readouterr().err.splitlines()[-1]
        assert sentence.startswith(f"brushwork {command}: ")
        assert str(loop) in sentence
    queue = ["queue", "stylize_photo", "--content", str(photos[0].parent), "--out", str(loop)]
    assert main(queue) == 2
    assert str(loop) in capsys.readouterr().err
    assert loop.is_symlink()
