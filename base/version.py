"""Which version this is."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def version() -> str:
    """The version of this copy: what its pyproject.toml says, or the package that pip installed.

    ComfyUI loads the repository as it is, and another copy may be installed beside it.
    """
    if _PROJECT.is_file():
        found = re.search(r'^version = "(.+)"$', _PROJECT.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    return metadata.version("brushwork")
