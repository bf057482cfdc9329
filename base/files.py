"""File names that every system accepts, and files that are written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .text_files import UNSHOWN, same_name

# Characters that Windows forbids in file names, separators too, and characters that nobody sees.
_FORBIDDEN = re.compile(f'[<>:"/\\\\|?*{UNSHOWN}]')
# The names that Windows keeps for devices, with any ending.
_DEVICES = re.compile(
    r"(con|conin\$|conout\$|clock\$|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]) *(\..*)?", re.IGNORECASE
)
# Bytes as UTF-8: most file systems hold 255, and an ending and a number follow.
_LONGEST = 180


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
    """Write `data` to `path` whole or not at all: temporary file, fsync, rename."""
    with written_atomically(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def written_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside `path` to write to; when the context ends it becomes `path`, or goes after an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = hidden_beside(path, f"{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def hidden_beside(path: Path, ending: str) -> Path:
    """A hidden path in the same folder, named after `path`, which may be as long as names can be."""
    return path.with_name(f".{_cut(path.name)}.{ending}")


def file_digest(path: str | os.PathLike[str]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a file; OSError if it cannot be read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()[:16]
