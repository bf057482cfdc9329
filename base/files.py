"""File names that every system accepts, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .locks import lock
from .text_files import UNSHOWN, same_name

# Characters that Windows forbids in file names, separators too, and characters that nobody sees.
_FORBIDDEN = re.compile(f'[<>:"/\\\\|?*{UNSHOWN}]')
# The names that Windows keeps for devices, with any ending.
_DEVICES = re.compile(
    r"(con|conin\$|conout\$|clock\$|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]) *(\..*)?", re.IGNORECASE
)
# Bytes as UTF-8: most file systems hold 255, and an ending and a number follow.
_LONGEST = 180

# What the names of temporary files hold, and the age in seconds below which nobody removes one.
_MARK = ".brushwork."
_YOUNG_SECONDS = 60.0
# Folders in which this process has looked for temporary files of dead ones.
_swept: set[str] = set()
# What systems say where there are no hard links, or no more of them.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)


def safe_file_name(name: str) -> str:
    """`name` with underscores for all that some system forbids; never empty, '.' or '..'.

    >>> safe_file_name(" waves: 1/2? ")
    'waves_ 1_2_'
    >>> safe_file_name("..")
    '_'
    """
    name = _FORBIDDEN.sub("_", name).strip().rstrip(". ")
    name = _cut(name).rstrip(". ")
    hidden_or_kept = not name or name.startswith(".") or _DEVICES.fullmatch(name)
    return f"_{name}" if hidden_or_kept else name


def distinct_names(names: Sequence[str], sources: Sequence[Sequence[Path]]) -> list[str]:
    """File names without ending that every system accepts, no two alike on any system.

    If several of `names` would be the same, or one is too long for a file system, it gets a digest of the
    paths of its `sources`. Names that differ in case or Unicode form are the same.

    >>> distinct_names(["a", "b"], [[Path("1/a.png")], [Path("b.png")]])
    ['a', 'b']
    """
    safe = [safe_file_name(name) for name in names]
    count = Counter(map(same_name, safe))
    return [
        plain if count[same_name(plain)] == 1 and _fits(name) else _with_digest(plain, paths)
        for name, plain, paths in zip(names, safe, sources, strict=True)
    ]


def _fits(name: str) -> bool:
    return len(name.encode(errors="surrogatepass")) <= _LONGEST


def _cut(name: str) -> str:
    return name.encode(errors="ignore")[:_LONGEST].decode(errors="ignore")


def _with_digest(name: str, paths: Sequence[Path]) -> str:
    text = "\n".join(_whole_path(path) for path in paths)
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{_cut(name)}-{digest}"


def _whole_path(path: Path) -> str:
    try:
        return path.resolve().as_posix()
    except (OSError, RuntimeError):  # a circle of links
        return path.absolute().as_posix()


def slug(text: str) -> str:
    """Lower-case ASCII words with hyphens between them; empty if there is no such letter in `text`.

    >>> slug("Gustave Doré: The Vision of Hell")
    'gustave-dore-the-vision-of-hell'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


def numbered_path(folder: Path, stem: str, suffix: str, number: int = 1) -> Path:
    """`stem` plus `suffix` in `folder` for number 1; for higher numbers with '_2', '_3' … after the stem."""
    return folder / f"{stem}{f'_{number}' if number > 1 else ''}{suffix}"


def free_path(folder: Path, stem: str, suffix: str, number: int = 1) -> Path:
    """The first `numbered_path` from `number` on that does not exist."""
    while (path := numbered_path(folder, stem, suffix, number)).exists():
        number += 1
    return path


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` whole or not at all: temporary file, fsync, rename, fsync of the folder.

    The first write of a process into a folder removes the temporary files that dead processes left there.
    A pipe or a device, such as /dev/stdout, gets the bytes and stays what it is.
    """
    if _is_stream(Path(path)):
        with open(path, "ab", buffering=0) as stream:
            stream.write(data)
        return
    with written_atomically(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def written_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """An empty file to write to, which becomes `path` as `write_atomically` says; it goes after an error.

    For those who write to a path. They may not replace the file by another one. Raises OSError for a pipe or
    a device, which a file would replace.
    """
    path = Path(path)
    if _is_stream(path):
        raise OSError(errno.EINVAL, "It is a pipe or a device, and no file", os.fspath(path))
    with _temporary_beside(path) as temporary:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    _sync_folder(path.parent)


def write_new(folder: Path, stem: str, suffix: str, data: bytes, number: int = 1) -> Path:
    """Write `data` as `write_atomically` does to the first `numbered_path` that is free; returns the path.

    Several processes may do so at once: each gets a name of its own.
    """
    path = free_path(folder, stem, suffix, number)
    with _temporary_beside(path) as temporary:
        temporary.write_bytes(data)
        _sync(temporary)
        while not _rename_to_new(temporary, path):
            path = free_path(folder, stem, suffix, number)
    _sync_folder(folder)
    return path


def _is_stream(path: Path) -> bool:
    """Whether it takes bytes and cannot be replaced by a file: pipes, devices, and what is open already."""
    try:
        kind = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    # /dev/stdout is a link, also where it leads to a file.
    folder = os.path.realpath(path.parent)
    is_open = folder == "/dev" or folder.startswith(("/proc/", "/dev/fd"))
    return not stat.S_ISDIR(kind) and (is_open or not stat.S_ISREG(kind))


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    """An empty hidden file in the folder of `path`; it is gone at the end."""
    _make_folder(path.parent)
    _sweep_once(path.parent)
    # The name of the target may be as long as names can be.
    temporary = hidden_beside(path, f"{_MARK.lstrip('.')}{secrets.token_hex(4)}.{os.getpid()}.part")
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
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Make the bytes of a file last."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _rename_to_new(temporary: Path, path: Path) -> bool:
    """Give a file a name that nothing has; False if something has it."""
    try:
        if os.name == "nt":
            os.rename(temporary, path)
        else:
            os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links: take the name with an empty file first.
        try:
            path.open("xb").close()
        except FileExistsError:
            return False
        os.replace(temporary, path)
    return True


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut does not lose them."""
    missing = [folder]
    while not missing[-1].exists() and missing[-1] != missing[-1].parent:
        missing.append(missing[-1].parent)
    folder.mkdir(parents=True, exist_ok=True)
    for above in missing[1:]:
        _sync_folder(above)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder last; Windows and some drives do so by themselves."""
    if os.name == "nt":
        return
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _sweep_once(folder: Path) -> None:
    """Remove the temporary files of dead processes, once in the life of this one."""
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
    """Remove a temporary file that nobody holds. A young one may be about to be locked, or renamed."""
    if not entry.is_file(follow_symlinks=False):
        return
    if time.time() - entry.stat(follow_symlinks=False).st_mtime < _YOUNG_SECONDS:
        return
    with open(entry.path, "r+b") as file:
        dead = lock(file)
    if dead:
        os.unlink(entry.path)


def hidden_beside(path: Path, ending: str) -> Path:
    """A hidden path in the same folder, named after `path`, which may be as long as names can be."""
    return path.with_name(f".{_cut(path.name)}.{ending}")


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file in hexadecimal, read piece by piece; OSError if it cannot be read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
