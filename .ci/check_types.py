"""Check the types of every package: `python .ci/check_types.py`, with mypy's options if you like.

mypy names modules after their folders. The root of this repository is the package `brushwork`, but its
folder may have any name (`custom_nodes/Brushwork`, a clone of CI), and pip may have installed another copy.
So mypy runs in a temporary folder that holds a link named `brushwork` to the root, and links to the packages
beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Separate packages, not parts of `brushwork`: they are not in the wheel. They start the tests' ComfyUI
# server, so its module is checked with them.
BESIDE = ("benchmarks", "fuzz", "scripts")
SERVER = "tests"


def link(path: Path, folder: Path) -> None:
    """Make `path` lead to `folder`. On Windows by a junction: a symbolic link needs a privilege there."""
    if sys.platform == "win32":
        import _winapi

        _winapi.CreateJunction(str(folder), str(path))
    else:
        path.symlink_to(folder, target_is_directory=True)


def main() -> int:
    """Run mypy and return its exit status."""
    packages = sorted(init.parent.name for init in ROOT.glob("[!.]*/__init__.py"))
    targets = ["--module", "brushwork"]
    for name in packages:
        targets += ["--package", name if name in BESIDE else f"brushwork.{name}"]
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    links = {"brushwork": ROOT} | {name: ROOT / name for name in (*BESIDE, SERVER)}
    with tempfile.TemporaryDirectory() as scratch:
        for name, folder in links.items():
            link(Path(scratch, name), folder)
        try:
            command = [sys.executable, "-m", "mypy", *options, *targets, *sys.argv[1:]]
            return subprocess.run(command, cwd=scratch, env=os.environ | {"MYPYPATH": "."}).returncode
        finally:
            # Remove the links before the folder is cleaned up: nothing may follow a link into the repository.
            for name in links:
                Path(scratch, name).unlink()


if __name__ == "__main__":
    sys.exit(main())
