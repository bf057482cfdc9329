"""Which paths mean a folder by how they were typed."""

from __future__ import annotations

import ntpath
import posixpath
from pathlib import Path

import pytest
import torch
from tiny_network import TINY

from brushwork.base.folders import means_folder
from brushwork.models import StyleFile, StyleGAN
from brushwork.models.checkpoint import CheckpointError
from brushwork.models.style_file import write_style


@pytest.mark.parametrize("text", ["x.png/", "x.png//", "x.png/.", "new/..", ".", "..", "/"])
def test_folders_on_all_systems(text):
    assert means_folder(text, posixpath)
    assert means_folder(text, ntpath)


@pytest.mark.parametrize("text", ["x.png\\", "new\\x.png/", "new/x.png\\.", "C:\\", "C:"])
def test_folders_on_windows(text):
    assert means_folder(text, ntpath)


@pytest.mark.parametrize("text", ["x.png", "new/x.png", "x.", "..x", ".x"])
def test_files_and_what_may_be_one(text):
    assert not means_folder(text, posixpath)
    assert not means_folder(text, ntpath)


def test_a_backslash_is_a_letter_elsewhere():
    assert not means_folder("x.png\\", posixpath)


def test_python_writes_and_reads_no_file_by_the_name_of_a_folder(tmp_path: Path) -> None:
    typed = f"{tmp_path / 'x.safetensors'}/"
    sentence = r"^The path is .*x\.safetensors/'?, which means a folder; give the name of a file\.$"
    gan = StyleGAN(TINY)
    with pytest.raises(ValueError, match=sentence):
        gan.save(typed)
    style = StyleFile.made_by(gan, gan.encode_style(torch.rand(1, 3, 64, 64)), "waves")
    with pytest.raises(ValueError, match=sentence):
        write_style(typed, style)
    assert list(tmp_path.iterdir()) == []
    gan.save(tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match=sentence):
        StyleGAN.load(typed)
