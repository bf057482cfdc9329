"""File names that every system accepts, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .excerpt import value_excerpt
from .folders import means_folder, real_path
from .temporary import LONGEST_NAME, cut_name, sync_folder, temporary_file
from .text_files import UNSHOWN, same_name

# Characters that Windows forbids in file names, separators too, and characters that nobody sees.
_FORBIDDEN = re.compile(f'[<>:"/\\\\|?*{UNSHOWN}]')
# The names that Windows keeps for devices, with any ending.
_DEVICES = re.compile(
    r"(con|conin\$|conout\$|clock\$|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]) *(\..*)?", re.IGNORECASE
)
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
    name = cut_name(name).rstrip(". ")
    hidden_or_kept = not name or name.startswith(".") or _DEVICES.fullmatch(name)
    return f"_{name}" if hidden_or_kept else name


def distinct_names(
    names: Sequence[str], sources: Sequence[Sequence[Path]], endings: Sequence[str] | None = None
) -> list[str]:
    """File names without ending that every system accepts, no two alike on any system.

    If several of `names` would be the same, or one is too long for a file system, it gets a digest of the
    paths of its `sources`. Names that differ in case or Unicode form are the same. With the `endings` that
    the files will have, one for each name, names are the same only if their endings are, too.

    >>> distinct_names(["a", "b"], [[Path("1/a.png")], [Path("b.png")]])
    ['a', 'b']
    """
    safe = [safe_file_name(name) for name in names]
    files = [
        (same_name(name), ending.lower())
        for name, ending in zip(safe, endings or [""] * len(safe), strict=True)
    ]
    count = Counter(files)
    return [
        plain if count[file] == 1 and _fits(name) else _with_digest(plain, paths)
        for name, plain, file, paths in zip(names, safe, files, sources, strict=True)
    ]


def _fits(name: str) -> bool:
    return len(name.encode(errors="surrogatepass")) <= LONGEST_NAME


def _with_digest(name: str, paths: Sequence[Path]) -> str:
    text = "\n".join(_whole_path(path) for path in paths)
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{cut_name(name)}-{digest}"


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


def checked_path(value: object, name: str = "The path") -> Path:
    """`value` as a path. Raises ValueError, one sentence on `name`, for what no file can be called."""
    path = checked_folder(value, name)
    if not path.name:
        raise ValueError(f"{name} is {value_excerpt(str(value))}; give the name of a file.")
    # A Path has no slash at its end, and a text may.
    if isinstance(value, str) and means_folder(value):
        raise ValueError(f"{name} is {value_excerpt(value)}, which means a folder; give the name of a file.")
    return path


def checked_folder(value: object, name: str = "The folder") -> Path:
    """The same for a folder, which need not have a name: '.' and '/' are folders."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise ValueError(f"{name} is of the type {type(value).__name__}; give a text or a Path.")
    if "\0" in path:
        raise ValueError(f"{name} is {value_excerpt(path)}; a path has no zero bytes.")
    return Path(path)


def numbered_path(folder: Path, stem: str, suffix: str, number: int = 1) -> Path:
    """`stem` plus `suffix` in `folder` for number 1; for higher numbers with '_2', '_3' … after the stem."""
    return folder / f"{stem}{f'_{number}' if number > 1 else ''}{suffix}"


def free_path(folder: Path, stem: str, suffix: str, number: int = 1) -> Path:
    """The first `numbered_path` from `number` on that does not exist."""
    # A link that leads nowhere has the name, too.
    while os.path.lexists(path := numbered_path(folder, stem, suffix, number)):
        number += 1
    return path


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` whole or not at all: temporary file, fsync, rename, fsync of the folder.

    The first write of a process into a folder removes the temporary files that dead processes left there.
    A link stays a link, and the file behind it is written, see `file_behind`. A pipe or a device, such as
    /dev/stdout, gets the bytes and stays what it is.
    """
    if _is_stream(Path(path)):
        # Buffered: the system may take a part at a time, and a bare file would leave the rest.
        with open(path, "ab") as stream:
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
    place = file_behind(path)
    with temporary_file(place) as temporary:
        yield temporary
        move_into_place(temporary, place)


def write_new(folder: Path, stem: str, suffix: str, data: bytes, number: int = 1) -> Path:
    """Write `data` as `write_atomically` does to the first `numbered_path` that is free; returns the path.

    Several processes may do so at once: each gets a name of its own.
    """
    path = free_path(folder, stem, suffix, number)
    with temporary_file(path) as temporary:
        temporary.write_bytes(data)
        while not move_to_new(temporary, path):
            path = free_path(folder, stem, suffix, number)
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


def file_behind(path: Path) -> Path:
    """The file that one writes who writes to `path`: what a link leads to, or `path` itself.

    It need not exist. Raises OSError for a link to itself and for one into a folder that is not there: that
    may be a drive that is not connected, and what is written in its place would be lost from sight.
    """
    if not os.path.islink(path):
        return path
    place = real_path(path)
    if os.path.islink(place):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    if not place.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "It is a link into a folder that is not there", os.fspath(path))
    return place


def move_into_place(temporary: Path, path: Path) -> None:
    """Give a file that is whole its name, whatever file had it: fsync, rename, fsync of the folder.

    For a link, the file behind it is replaced by a copy, since that may be on another disk.
    """
    place = file_behind(path)
    if place != path:
        with written_atomically(place) as copy:
            shutil.copyfile(temporary, copy)
        return
    sync_file(temporary)
    os.replace(temporary, path)
    sync_folder(path.parent)


def move_to_new(temporary: Path, path: Path) -> bool:
    """Give a file that is whole a name that nothing has, as `move_into_place` does; False if something has
    it."""
    sync_file(temporary)
    if not _rename_to_new(temporary, path):
        return False
    sync_folder(path.parent)
    return True


def sync_file(path: Path) -> None:
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


def sha256_of(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file in hexadecimal, read piece by piece; OSError if it cannot be read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
