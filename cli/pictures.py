"""The files that arguments name: by folder, by pattern or by their own name."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..base.counts import counted
from ..base.excerpt import excerpt, hide_secrets
from ..base.folders import is_hidden_name, is_lost_link, real_path
from ..pictures.films import is_film
from ..pictures.folders import list_pictures
from .errors import CommandError
from .terminal import complain

# Two letters at least: one letter is a drive of Windows.
_ADDRESS = re.compile(r"[A-Za-z]{2,}://")


@dataclass(frozen=True)
class EarlierResults:
    """Where a command writes, and which of the files there it has written: a command must not read those."""

    folder: Path
    is_result: Callable[[Path], bool]
    own_folder: bool = True
    """Whether such a folder within a folder of pictures holds nothing else."""

    def removed_from(self, found: Sequence[Path], root: Path) -> list[Path]:
        """The pictures `found` below `root`, without what is in a folder of results within it, and without
        the results that lie among the pictures."""
        if self.own_folder and _is_within(self.folder, root):
            return [path for path in found if not _is_within(path, self.folder)]
        folder = os.path.realpath(self.folder)
        return [path for path in found if os.path.realpath(path.parent) != folder or not self.is_result(path)]


def matching_files(text: str) -> list[Path]:
    """The files that a pattern means, sorted, or the one that has this name; none if `text` is a folder.

    A pattern means no hidden files, unless it says so with a dot; a name means what it says. Says on standard
    error which links to what is not there the pattern finds.
    """
    # A name with brackets in it is also a pattern, which means another file.
    named = [Path(text)] if os.path.isfile(text) else []
    visible = [Path(match) for match in glob.glob(text, recursive=True) if not _is_kept(match, text)]
    if lost := sorted(filter(is_lost_link, visible)):
        which = "" if len(lost) == 1 else "first: "
        links = counted(len(lost), "link to what is not there", "links to what is not there")
        complain(f"left out of {text}: {links} ({which}{excerpt(str(lost[0]), 300)})")
    return sorted(path for path in visible if os.path.isfile(path)) or named


def visible_pictures(folder: Path, films: bool = False) -> list[Path]:
    """The pictures below `folder`, and its `films`; says on standard error what was left out.

    Raises CommandError if the folder cannot be opened.
    """
    try:
        listing = list_pictures(folder)
    except ValueError as error:
        raise CommandError(str(error)) from error
    say_left_out(folder, listing.left_out)
    found = [path for path in listing.others if is_film(path)] if films else []
    return sorted([*listing.pictures, *found])


def say_left_out(folder: Path, left_out: str) -> None:
    """Say what a listing of `folder` left out, if it did."""
    if left_out:
        complain(f"left out in {folder}: {left_out}")


def pictures_of(text: str, films: bool = False) -> list[Path]:
    """The pictures that one argument means: a folder, at any depth and with its `films`, a pattern or a file.

    Raises CommandError if the folder cannot be opened.
    """
    return visible_pictures(Path(text), films) if os.path.isdir(text) else matching_files(text)


def check_named(text: str, option: str) -> None:
    """Raise CommandError if `text` is neither a pattern nor there, as a file or folder; it opens nothing."""
    if not text:
        raise CommandError(f"One {option} is empty; give a file, a folder or a pattern.")
    check_leads_to_file(text, option)
    if not os.path.exists(text) and not glob.has_magic(text):
        shown = excerpt(text, 300)
        raise CommandError(f"There is no file or folder {shown}; check the name, or give another {option}.")


def check_leads_to_file(text: str, option: str) -> None:
    """Raise CommandError for an address, a dead link, a pipe and other things that are no files."""
    if _ADDRESS.match(text) and not os.path.exists(text):
        shown = hide_secrets(excerpt(text, 300))
        raise CommandError(f"{shown} is an address; save what is there, and give the file as {option}.")
    if os.path.isfile(text) or os.path.isdir(text) or not os.path.lexists(text):
        return
    shown = excerpt(text, 300)
    if is_lost_link(text):
        raise CommandError(
            f"{shown} is a link to what is not there; mend the link, or give another {option}."
        )
    raise CommandError(f"{shown} is neither a file nor a folder; give another {option}.")


def find_pictures(
    texts: Sequence[str], option: str, results: EarlierResults | None = None, films: bool = False
) -> list[Path]:
    """The pictures that `texts` mean (`pictures_of`), each once.

    Folders and patterns give no `results`: a command must not read what it wrote. A name gives its file.
    Raises CommandError if one of `texts` finds none.
    """
    pictures: list[Path] = []
    for text in texts:
        check_named(text, option)
        found = pictures_of(text, films)
        if found and results is not None and not os.path.isfile(text):
            found = results.removed_from(found, Path(text) if os.path.isdir(text) else results.folder)
            if not found:
                raise CommandError(
                    f"{option} {text} finds only what an earlier run painted; give another one, or name such "
                    "a file itself."
                )
        if not found and os.path.isdir(text):
            raise CommandError(f"The folder {text} holds no picture; give another {option}.")
        if not found:
            raise CommandError(f"The pattern {text} finds no picture; give another {option}.")
        pictures += found
    return each_once(pictures)


def each_once(files: Sequence[Path]) -> list[Path]:
    """The files without those that are there before, also by way of a linked folder.

    A link with a name of its own is a file of its own, since its result has that name.
    """
    named = Counter(path.name for path in files)
    # To look for links in all parts of every path takes long.
    places = {path: real_path(path) if named[path.name] > 1 else path for path in dict.fromkeys(files)}
    first: dict[tuple[str, Path], Path] = {}
    for path, place in places.items():
        first.setdefault((path.name, place), path)
    return list(first.values())


def _is_within(path: Path, folder: Path) -> bool:
    return real_path(folder) in real_path(path).parents


def _is_kept(match: str, pattern: str) -> bool:
    """Whether the pattern found a file of the system, such as one in `__MACOSX`, without naming it."""
    return any(is_hidden_name(part) and part not in pattern for part in Path(match).parts if part[0] != ".")
