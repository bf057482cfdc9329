"""Which paths mean a folder by how they were typed."""

from __future__ import annotations

import ntpath
import posixpath

import pytest

from brushwork.base.folders import means_folder


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
