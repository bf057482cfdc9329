"""The one lister: what systems hide is left out and counted, links are followed, circles end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from brushwork.base.folders import list_files
from brushwork.cli.errors import CommandError
from brushwork.cli.paint.jobs import find_styles
from brushwork.cli.pictures import find_pictures
from brushwork.dataset.collection import collect
from brushwork.dataset.folder import PictureFolder
from brushwork.dataset.survey import NoPicturesError, survey
from brushwork.pictures.folders import list_pictures, picture_files

HIDDEN = (
    *("._a.png", ".hidden.png", ".ipynb_checkpoints/a-checkpoint.png", ".Trash-0/files/b.png"),
    *("__MACOSX/._a.png", "__MACOSX/a.png", "sub/@eaDir/a.png/SYNOPHOTO_THUMB.png", "#recycle/c.png"),
    *("$RECYCLE.BIN/d.png", "sub/.git/x.png"),
)


def put(path: Path, color: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((20, 16), 80).convert("RGB").save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.jpg", *HIDDEN):
        put(tmp_path / "art" / name)
    (tmp_path / "art" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "art" / "notes.txt").write_text("x")
    return tmp_path / "art"


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_hidden_pictures_are_left_out_everywhere(folder: Path, capsys) -> None:
    wanted = ["a.png", "sub/b.jpg"]
    assert names(picture_files(folder), folder) == wanted
    assert names(find_pictures([str(folder)], "--content"), folder) == wanted
    assert f"left out in {folder}: 10 hidden pictures (first: #recycle/c.png)\n" in capsys.readouterr().err
    assert names([style.files[0] for style in find_styles([str(folder)])], folder) == wanted
    assert names(PictureFolder.scan(folder).paths, folder) == wanted
    report = survey(folder)
    assert [facts.name for facts in report.pictures] == wanted
    assert report.other_files == (".txt",)
    assert "left out    10 hidden pictures (first: #recycle/c.png)" in report.as_text()
    assert (
        collect("paintings", folder)
        .describe("painting")
        .endswith("2 paintings; 10 hidden pictures (first: #recycle/c.png) left out")
    )


def test_a_folder_of_hidden_pictures_alone(tmp_path: Path) -> None:
    put(tmp_path / "art" / "._a.png")
    with pytest.raises(NoPicturesError, match=r"no picture \(1 hidden picture \(\._a\.png\) left out\)"):
        survey(tmp_path / "art")
    with pytest.raises(ValueError, match="1 hidden picture"):
        PictureFolder.scan(tmp_path / "art")
    with pytest.raises(
        ValueError, match=r"no paintings that can be read \(1 hidden picture \(\._a\.png\) left"
    ):
        collect("paintings", tmp_path / "art")


def test_the_named_folder_may_be_hidden_and_a_named_file_too(folder: Path) -> None:
    assert names(picture_files(folder / ".Trash-0"), folder) == [".Trash-0/files/b.png"]
    assert names(find_pictures([str(folder / "._a.png")], "PHOTO"), folder) == ["._a.png"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.png", ["a.png"]),
        ("**/*.png", ["a.png"]),
        ("__MACOSX/*.png", ["__MACOSX/a.png"]),
        (".hid*.png", [".hidden.png"]),
    ],
)
def test_patterns_find_what_they_name(folder: Path, pattern: str, found: list[str]) -> None:
    assert names(find_pictures([str(folder / pattern)], "PHOTO"), folder) == found


def test_hidden_style_files_are_no_styles(folder: Path) -> None:
    for name in ("wave.safetensors", "._wave.safetensors", "__MACOSX/wave.safetensors"):
        (folder / name).write_bytes(b"x")
    assert "wave.safetensors" in names([style.files[0] for style in find_styles([str(folder)])], folder)
    assert len(find_styles([str(folder)])) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_followed_once_and_circles_end(folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "c.png")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "again").symlink_to(tmp_path / "elsewhere")
    (folder / "aaa").symlink_to(folder / "sub")  # sub keeps its own name
    (folder / "sub" / "up").symlink_to(folder)
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    (folder / "self.png").symlink_to(folder / "self.png")
    (folder / "lost.png").symlink_to(folder / "nowhere.png")
    (folder / "file.png").symlink_to(folder / "a.png")
    assert names(picture_files(folder), folder) == ["a.png", "again/c.png", "file.png", "sub/b.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_to_what_is_not_there_are_told(folder: Path, capsys) -> None:
    (folder / "drive").symlink_to(folder / "not connected")
    (folder / ".#a.png").symlink_to("owner@host")  # an editor's mark
    assert list_pictures(folder).left_out == (
        "10 hidden pictures (first: #recycle/c.png), 1 link to what is not there (drive)"
    )
    (folder / "lost.png").symlink_to("nowhere.png")
    (folder / "self.png").symlink_to("self.png")
    assert list_pictures(folder).left_out.endswith(", 3 links to what is not there (first: drive)")
    assert "3 links to what is not there (first: drive)" in survey(folder).as_text()
    capsys.readouterr()
    assert names(find_pictures([str(folder / "*.png")], "PHOTO"), folder) == ["a.png"]
    lost = f"2 links to what is not there (first: {folder / 'lost.png'})"
    assert capsys.readouterr().err == f"left out of {folder / '*.png'}: {lost}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_picture_that_a_linked_folder_names_again_counts_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(folder)
    (folder / "twin.png").symlink_to("a.png")  # with a name of its own
    put(tmp_path / "other" / "a.png")
    texts = [str(folder), str(tmp_path / "linked"), str(tmp_path / "other")]
    found = names(find_pictures(texts, "PHOTO"), tmp_path)
    assert found == ["art/a.png", "art/sub/b.jpg", "art/twin.png", "other/a.png"]
    assert names([style.files[0] for style in find_styles(texts)], tmp_path) == found


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_visible_link_to_a_hidden_folder_counts(tmp_path: Path) -> None:
    put(tmp_path / "art" / ".store" / "a.png")
    (tmp_path / "art" / "pictures").symlink_to(tmp_path / "art" / ".store")
    listing = list_pictures(tmp_path / "art")
    assert (names(listing.pictures, tmp_path / "art"), listing.hidden) == (["pictures/a.png"], [])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root opens everything")
def test_a_folder_that_cannot_be_opened_is_told(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0)
    try:
        assert "1 folder that cannot be opened (closed)" in list_pictures(folder).left_out
        with pytest.raises(ValueError, match="cannot be opened: Permission denied"):
            list_pictures(folder / "closed")
    finally:
        (folder / "closed").chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="folders lie less deep there")
def test_folders_deeper_than_a_path_can_say_are_told_quickly(tmp_path: Path, monkeypatch) -> None:
    put(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    for _ in range(900):
        os.mkdir("dddd")
        os.chdir("dddd")
    try:
        began = time.process_time()
        listing = list_pictures(tmp_path)
        assert time.process_time() - began < 2
    finally:  # others could not remove it
        for _ in range(900):
            os.chdir("..")
            os.rmdir("dddd")
    assert names(listing.pictures, tmp_path) == ["a.png"]
    assert listing.left_out.startswith("1 folder that cannot be opened (dddd/dddd/")
    assert len(listing.left_out) < 300


def test_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no folder .*gone; give the folder"):
        list_pictures(tmp_path / "gone")
    with pytest.raises(OSError, match="gone"):
        list_files(tmp_path / "gone")
    with pytest.raises(CommandError, match=r"The folder .* holds no picture; give another PHOTO"):
        find_pictures([str(tmp_path)], "PHOTO")
