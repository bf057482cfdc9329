"""Writing a checkpoint: whole or not at all."""

from __future__ import annotations

import sys

import pytest
import torch

from brushwork.base.files import write_atomically
from brushwork.models import CheckpointError, StyleGAN
from brushwork.models.checkpoint import write_checkpoint


@pytest.fixture
def saved(frozen_tiny, tmp_path):
    path = tmp_path / "style.safetensors"
    frozen_tiny.save(path)
    return path


def test_nothing_is_saved_that_is_not_finite(tiny, saved):
    before = saved.read_bytes()
    with torch.no_grad():
        tiny.generator.up4.bias[0] = float("nan")
    with pytest.raises(CheckpointError, match=r"Not saved to .*: 'generator.up4.bias' has values that"):
        tiny.save(saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_nothing_is_saved_that_overflows_its_type(tmp_path):
    with pytest.raises(CheckpointError, match=r"'x' has values that are not finite"):
        write_checkpoint(tmp_path / "a.safetensors", {"x": torch.tensor([1e6])}, {}, torch.float16)
    assert list(tmp_path.iterdir()) == []


def test_saving_makes_the_folders_it_needs(frozen_tiny, tmp_path):
    path = tmp_path / "new folder" / "ü" / "style.safetensors"
    frozen_tiny.save(path)
    assert StyleGAN.load(path).config == frozen_tiny.config


def test_a_failed_rename_leaves_nothing_behind(tmp_path):
    """A folder stands where the file should go."""
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(OSError):  # noqa: PT011
        write_atomically(target, b"data")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes to run into")
def test_a_write_that_fails_half_way_leaves_the_old_file(tmp_path):
    """As on a full disk: the system refuses to let any file grow beyond 10 kB."""
    import resource

    path = tmp_path / "style.safetensors"
    write_atomically(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError):  # noqa: PT011
            write_atomically(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_saved_files_are_as_readable_as_any_other(saved):
    other = saved.with_name("other")
    other.touch()
    assert saved.stat().st_mode == other.stat().st_mode
