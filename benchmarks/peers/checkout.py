"""Code of another project, imported from a checkout that is given by path."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from benchmarks.peers.system import CHECKOUTS, LeftOut, Setup


def files_of(setup: Setup, project: str, names: Sequence[str]) -> dict[str, Path]:
    """The files `names` of the checkout that field `project` of the setup names.

    Raises LeftOut if there is no path, or if a file is missing there.
    """
    root: Path | None = getattr(setup, project)
    if root is None:
        raise LeftOut(f"give --{project} with the path of a checkout of {CHECKOUTS[project]}")
    files = {name: root.resolve() / name for name in names}
    for file in files.values():
        if not file.is_file():
            raise LeftOut(f"{root} is no checkout of it, since {file.name} is missing")
    return files


def import_from(
    folders: Sequence[Path], module: str, unused: Mapping[str, Sequence[str]] | None = None
) -> ModuleType:
    """`module`, found in `folders`, with what it imports from there.

    Such projects call their modules `function`, `model` or `utils`, and one would get another's. So
    `sys.path` and `sys.modules` are as before afterwards. `unused` holds modules, with the names that are
    imported from them, that are not needed: the names are None instead.
    """
    # Modules that are not needed are empty, and those with a name from the checkout are its own.
    absent = {}
    for name, content in (unused or {}).items():
        absent[name] = ModuleType(name)
        vars(absent[name]).update(dict.fromkeys(content))
    own = {path.stem for folder in folders for path in folder.iterdir() if path.suffix in (".py", "")}

    def loaded() -> dict[str, ModuleType]:
        return {
            name: found
            for name, found in sys.modules.items()
            if name in absent or name.partition(".")[0] in own
        }

    # Hide what has these names, import, and put everything back.
    path, hidden = list(sys.path), loaded()
    for name in hidden:
        del sys.modules[name]
    sys.modules.update(absent)
    sys.path[:0] = map(str, folders)
    try:
        return importlib.import_module(module)
    finally:
        sys.path[:] = path
        for name in loaded():
            del sys.modules[name]
        sys.modules.update(hidden)
