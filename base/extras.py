"""Packages that Brushwork itself does not install, and the command that installs them."""

from __future__ import annotations

import importlib.util


def installing(extra: str, what: str = "it") -> str:
    """What a sentence says after "is missing; ": how to install `what` comes with the `extra`.

    Brushwork is installed from its folder, so the command names no package of a registry. Double quotes work
    in every shell, also in that of Windows.

    >>> installing("video", "what films need")
    'in the folder of Brushwork install what films need with: pip install ".[video]"'
    """
    return f'in the folder of Brushwork install {what} with: pip install ".[{extra}]"'


def is_installed(package: str) -> bool:
    """Whether a package of an extra can be found; it is not imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
