"""Temporary files and folders beside what they become, and those that dead processes left there."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .folders import lost_link_above
from .locks import lock

# Bytes as UTF-8: most file systems hold 255, and an ending and a number follow.
LONGEST_NAME = 180

# What the names of temporary files and folders hold: the mark, and which machine made them.
_MARK = ".brushwork."
_MACHINE = hashlib.sha256(platform.node().encode(errors="replace")).hexdigest()[:8]
# The age in seconds below which nobody removes one; of another machine, whose locks may not be seen here.
_YOUNG_SECONDS = 60.0
_YOUNG_SECONDS_ELSEWHERE = 24 * 3600.0
# In a temporary folder: the process that holds it lives.
_LOCK = "lock"
# Folders in which this process has looked for what dead ones left.
_swept: set[str] = set()


@contextmanager
def temporary_file(beside: Path) -> Iterator[Path]:
    """An empty hidden file in the folder of `beside`, which is made; the file is gone at the end.

    An OSError about it, or about no file, names `beside`: users know that path.
    """
    temporary = _new_path(beside)
    try:
        with temporary.open("xb") as file:
            if os.name != "nt":
                # The lock tells others that the writer lives.
                with suppress(OSError):
                    lock(file)
                yield temporary
        if os.name == "nt":
            # An open file cannot be renamed there, and one that somebody writes cannot be removed. A lock
            # would keep those who write to the path from the place of the lock.
            yield temporary
    except OSError as error:
        _name(error, temporary, beside)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """A hidden folder in the folder of `beside`, which is made; it is gone at the end, with all in it.

    It holds a file `lock`. If this process dies, the next one that writes beside it removes the folder.
    An OSError about it, or about no file, names `beside`.
    """
    temporary = _new_path(beside)
    try:
        temporary.mkdir()
        with (temporary / _LOCK).open("xb") as file:
            with suppress(OSError):
                lock(file)
            yield temporary
    except OSError as error:
        _name(error, temporary, beside)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def hidden_beside(path: Path, ending: str) -> Path:
    """A hidden path in the same folder, named after `path`, which may be as long as names can be."""
    return path.with_name(f".{cut_name(path.name)}.{ending}")


def cut_name(name: str, longest: int = LONGEST_NAME) -> str:
    """`name` without what is behind its first `longest` bytes as UTF-8."""
    return name.encode(errors="ignore")[:longest].decode(errors="ignore")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; Windows and some drives do so by themselves."""
    if os.name == "nt":
        return
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _new_path(beside: Path) -> Path:
    make_folder(beside.parent)
    _sweep_once(beside.parent)
    ending = f"{_MARK.lstrip('.')}{_MACHINE}.{secrets.token_hex(4)}.{os.getpid()}.part"
    return hidden_beside(beside, ending)


def _name(error: OSError, temporary: Path, beside: Path) -> None:
    """Let an error about a temporary file or folder name what it was to become."""
    if error.filename is None or str(error.filename).startswith(os.fspath(temporary)):
        error.filename = os.fspath(beside)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut does not lose them.

    Raises OSError: NotADirectoryError if a file is in its place, FileNotFoundError if it is behind a link to
    what is not there, which may be a drive that is not connected.
    """
    missing = [folder]
    while not missing[-1].exists() and missing[-1] != missing[-1].parent:
        missing.append(missing[-1].parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        if lost := lost_link_above(folder):
            words = f"{lost} is a link to what is not there"
            raise FileNotFoundError(errno.ENOENT, words, os.fspath(folder)) from error
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(folder)) from error
    for above in missing[1:]:
        sync_folder(above)


def _sweep_once(folder: Path) -> None:
    """Remove what dead processes left in `folder`, once in the life of this one."""
    place = os.path.abspath(folder)
    if place in _swept:
        return
    _swept.add(place)
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if entry.name.startswith(".") and _MARK in entry.name and entry.name.endswith(".part"):
                with suppress(OSError):
                    _remove_if_dead(entry)


def _remove_if_dead(entry: os.DirEntry[str]) -> None:
    """Remove a temporary file or folder that nobody holds. A young one may be about to be locked, or renamed.

    One from the future is not young: the clock was wrong when it was made, or it is now.
    """
    own = f"{_MARK}{_MACHINE}." in entry.name
    if abs(time.time() - _changed(entry)) < (_YOUNG_SECONDS if own else _YOUNG_SECONDS_ELSEWHERE):
        return
    if entry.is_dir(follow_symlinks=False):
        if not _is_held(Path(entry.path, _LOCK)):
            shutil.rmtree(entry.path, ignore_errors=True)
    elif entry.is_file(follow_symlinks=False) and not _is_held(Path(entry.path)):
        os.unlink(entry.path)


def _changed(entry: os.DirEntry[str]) -> float:
    """When a file was changed last, or a folder and what is in it."""
    changed = entry.stat(follow_symlinks=False).st_mtime
    if entry.is_dir(follow_symlinks=False):
        for each in os.scandir(entry.path):
            changed = max(changed, each.stat(follow_symlinks=False).st_mtime)
    return changed


def _is_held(path: Path) -> bool:
    """Whether a living process has locked the file. Raises OSError where there are no locks."""
    try:
        with path.open("r+b") as file:
            return not lock(file)
    except FileNotFoundError:
        return False
