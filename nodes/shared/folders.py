"""Folders that the user names in a text field."""

from __future__ import annotations

import os
from pathlib import Path

from ...base.excerpt import excerpt
from ...pictures.folders import picture_files
from ..bridge import api


def find_folder(text: str) -> Path:
    """The folder that `text` names: in ComfyUI's input folder, or a full path; ~ is the home folder.

    Spaces and quotes around it do not count, since users paste paths with them. Raises ValueError, one
    sentence, if there is no such folder; it says where it looked.
    """
    name = _bare(text)
    if not name:
        raise ValueError("No folder is named; type one that is in ComfyUI's input folder, or a full path.")
    try:
        folder = api.input_folder() / Path(name).expanduser()
    except RuntimeError:  # ~someone, who has no home here
        folder = api.input_folder() / name
    # Path.is_dir would raise OSError for a name that is too long, or in a closed folder.
    if os.path.isdir(folder):
        return folder
    if os.path.isfile(folder):
        raise ValueError(f"'{name}' is a file, {folder}; name the folder that it is in.")
    raise ValueError(
        f"There is no folder '{excerpt(name)}': looked for {excerpt(str(folder), 300)}. Name one that is in "
        "ComfyUI's input folder, or give a full path."
    )


def named_folder(text: str) -> Path | None:
    """`find_folder`; None for an empty field. Raises ValueError, one sentence, for what is no text."""
    if not isinstance(text, str):
        raise ValueError(f"The folder is of the type {type(text).__name__}; give its name as a text.")
    return find_folder(text) if text.strip() else None


def check_folders(*texts: str | None) -> None:
    """Raise ValueError, one sentence, for a folder that does not exist; None means not known yet."""
    for text in texts:
        named_folder(text or "")


def fingerprint_folders(*texts: str) -> str:
    """Changes when a picture in any of the named folders comes, goes or is replaced."""
    folders = [named_folder(text) for text in texts]
    return repr([folder_stamps(folder) for folder in folders if folder is not None])


def folder_stamps(folder: Path) -> list[tuple[str, int, int]]:
    """Name, time and size of every picture in the folder: changes when one comes, goes or is replaced."""
    stamps = []
    for path in picture_files(folder):
        try:
            stat = path.stat()
        except OSError:  # it has just gone
            continue
        stamps.append((path.relative_to(folder).as_posix(), stat.st_mtime_ns, stat.st_size))
    return stamps


def _bare(text: str) -> str:
    text = text.strip()
    while len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text
