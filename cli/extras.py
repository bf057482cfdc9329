"""Packages that a command needs and Brushwork itself does not install."""

from __future__ import annotations

import importlib

from ..base.extras import installing
from .errors import CommandError


def require(packages: tuple[str, ...], extra: str, purpose: str) -> None:
    """Import `packages`. Raises CommandError if one is missing; it says which `extra` installs it.

    `purpose` ends the words "install what"; for instance "rendering needs".
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise CommandError(
                f"{error.name or package} is missing; {installing(extra, f'what {purpose}')}"
            ) from error
