"""Packages that a command needs and that do not come with Brushwork itself."""

from __future__ import annotations

import importlib

from .errors import CommandError


def require(packages: tuple[str, ...], extra: str, purpose: str) -> None:
    """Import `packages`, which the `extra` brings. Raises CommandError, which says so, if one is missing.

    `purpose` ends the words "install what"; for instance "rendering needs".
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise CommandError(
                f"{error.name or package} is missing; install what {purpose} with: "
                f"pip install 'brushwork[{extra}]'"
            ) from error
