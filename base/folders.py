"""The files below a folder, without those that systems and programs hide there."""

from __future__ import annotations

import os
import stat
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

# As a variable, since type checkers take the other systems' lines for dead code.
_SYSTEM: str = sys.platform

# Folders and files that systems, file servers and archive programs make for themselves; in lower case.
_KEPT_BY_SYSTEMS = {
    *("__macosx", "@eadir", "@__thumb", "#recycle", "@recycle", "#snapshot", "$recycle.bin", "recycler"),
    *("system volume information", "lost+found", "found.000"),
    *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
}


@dataclass(frozen=True)
class FolderListing:
    """What is below a folder, at any depth; each list is sorted."""

    files: list[Path]
    hidden: list[Path]
    """Hidden files, and the files in hidden folders."""
    closed: list[Path]
    """Folders that cannot be opened."""
    lost: list[Path]
    """Links to what is not there, such as a drive that is not connected; not the hidden ones."""


def list_files(root: Path) -> FolderListing:
    """All files below `root`; links are followed, and no folder is visited twice.

    Hidden is what begins with a dot or is marked as hidden, and what systems keep for themselves, such as
    `__MACOSX`; `root` itself may be hidden. A file that is reached on two ways goes by its own folder's name
    rather than by a link's, and counts as hidden only if there is no other way.
    Raises OSError if `root` cannot be opened.
    """
    found = FolderListing([], [], [], [])
    # Visited in this order: own folders, linked ones, hidden ones, linked and hidden ones.
    # With each folder goes where it really is.
    waiting: dict[tuple[bool, bool], deque[tuple[Path, str]]] = {
        (hidden, linked): deque() for hidden in (False, True) for linked in (False, True)
    }
    waiting[False, False].append((root, os.path.realpath(root)))
    visited: set[str] = set()
    while place := next((place for place, folders in waiting.items() if folders), None):
        (folder, real), hidden = waiting[place].popleft(), place[0]
        if os.path.normcase(real) in visited:
            continue
        visited.add(os.path.normcase(real))
        try:
            entries = list(os.scandir(folder))
        except OSError:
            if folder is root:
                raise
            found.closed.append(folder)
            continue
        for entry in sorted(entries, key=lambda entry: entry.name):
            hides = hidden or is_hidden_name(entry.name) or _is_marked(entry)
            try:
                if entry.is_dir():
                    linked = place[1] or entry.is_symlink()
                    waiting[hides, linked].append((folder / entry.name, _real_folder(entry, real)))
                elif entry.is_file():
                    (found.hidden if hides else found.files).append(folder / entry.name)
                elif not hides and is_lost_link(entry.path):
                    found.lost.append(folder / entry.name)
            except OSError:
                # A link to itself, or a file that went away.
                if not hides and is_lost_link(entry.path):
                    found.lost.append(folder / entry.name)
    for paths in (found.files, found.hidden, found.closed, found.lost):
        paths.sort()
    return found


def _real_folder(entry: os.DirEntry[str], above: str) -> str:
    """Where a folder that was found in `above` really is.

    Only a link can be elsewhere, or a junction, which Windows does not call a link: to look for links in all
    parts of every path takes seconds where folders lie hundreds deep.
    """
    if _SYSTEM == "win32" or entry.is_symlink():
        return os.path.realpath(entry.path)
    return os.path.join(above, entry.name)


def real_path(path: Path) -> Path:
    """Where `path` leads, with all links followed. A link to itself, at which `Path.resolve` fails, stays."""
    return Path(os.path.realpath(path))


def is_lost_link(path: str | Path) -> bool:
    """Whether `path` is a link to what is not there, or to itself."""
    return os.path.islink(path) and not os.path.exists(path)


def lost_link_above(path: Path) -> Path | None:
    """`path` or the folder above it that is a link to what is not there, if one is."""
    return next((place for place in (path, *path.parents) if is_lost_link(place)), None)


def means_folder(text: str, system: ModuleType = os.path) -> bool:
    """Whether a path as it was typed can only be a folder: it ends in a slash, or in '.' or '..'.

    `Path` drops the slash. `system` says which slashes there are: `posixpath` or `ntpath`.

    >>> [means_folder(text) for text in ("x.png/", "x.png/.", "x/x.png")]
    [True, True, False]
    """
    return system.split(text)[1] in ("", os.curdir, os.pardir)


def is_hidden_name(name: str) -> bool:
    """Whether a file or folder of this name is not meant to be seen.

    >>> [is_hidden_name(name) for name in ("._a.jpg", "@eaDir", "a.jpg")]
    [True, True, False]
    """
    return name.startswith(".") or name.lower() in _KEPT_BY_SYSTEMS


def _is_marked(entry: os.DirEntry[str]) -> bool:
    """Whether Windows or macOS has marked it as hidden."""
    if _SYSTEM not in ("win32", "darwin"):
        return False
    try:
        facts = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    attributes, flags = getattr(facts, "st_file_attributes", 0), getattr(facts, "st_flags", 0)
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN or flags & stat.UF_HIDDEN)
