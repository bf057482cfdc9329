"""What users type into a field for a folder, and what they are told when there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from brushwork.nodes.bridge import api
from brushwork.nodes.shared.folders import find_folder, folder_stamps


@pytest.fixture
def input_folder(tmp_path, monkeypatch) -> Path:
    """ComfyUI's input folder, with a folder and a file in it."""
    folder = tmp_path / "input"
    (folder / "my paintings").mkdir(parents=True)
    (folder / "a.png").write_bytes(b"")
    previous = api.folder_paths.get_input_directory()
    api.folder_paths.set_input_directory(str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    yield folder
    api.folder_paths.set_input_directory(previous)


@pytest.mark.parametrize(
    "text", ["{}", "  {}\n", '"{}"', "'{}'", ' " {} " ', "{}/", "./{}"], ids=lambda text: text.strip()
)
def test_finds_what_is_named(input_folder, tmp_path, text):
    for name in ("my paintings", str(input_folder / "my paintings")):
        if not (text.startswith("./") and name.startswith("/")):
            assert find_folder(text.format(name)).samefile(input_folder / "my paintings")
    assert find_folder("~/input").samefile(input_folder)
    assert find_folder("..").samefile(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "No folder is named; type one that is in ComfyUI's input folder, or a full path."),
        ("  ''", "No folder is named"),
        ("a.png", "'a.png' is a file, {}; name the folder that it is in."),
        ("'monet'", "There is no folder 'monet': looked for {}. Name one that is in ComfyUI's input folder"),
        ("~nobody-of-that-name/x", "There is no folder '~nobody-of-that-name/x': looked for {}."),
    ],
)
def test_says_where_it_looked(input_folder, text, sentence):
    with pytest.raises(ValueError, match="folder") as refused:
        find_folder(text)
    assert sentence.format(input_folder / text.strip("'")) in str(refused.value)


def test_a_text_in_the_place_of_a_folder(input_folder):
    with pytest.raises(ValueError, match=r"^There is no folder 'a+…': looked for .+…\. Name one") as refused:
        find_folder("a" * 5000)
    assert len(str(refused.value)) < 600


def test_stamps_change_with_the_pictures_and_only_with_them(input_folder):
    folder = input_folder / "my paintings"
    seen = [folder_stamps(folder)]
    (folder / "notes.txt").write_text("no picture")
    assert folder_stamps(folder) == seen[0] == []
    (folder / "deep").mkdir()
    picture = folder / "deep" / "b.jpg"
    for change in (
        lambda: picture.write_bytes(b"1"),
        lambda: picture.write_bytes(b"12"),
        lambda: os.utime(picture, (1, 1)),
        lambda: picture.rename(folder / "c.jpg"),
        lambda: (folder / "c.jpg").unlink(),
    ):
        change()
        seen.append(folder_stamps(folder))
        assert seen[-1] != seen[-2]
    assert seen[1][0][0] == "deep/b.jpg"


def test_hidden_pictures_do_not_count(tmp_path):
    for name in ("a.png", "._a.png", ".ipynb_checkpoints/a-checkpoint.png", "__MACOSX/a.png", "@eaDir/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    assert [stamp[0] for stamp in folder_stamps(tmp_path)] == ["a.png"]
