"""A disk that is small, full or read-only: a file system of Linux's tmpfs, which only root may mount."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux mounts a file system"
)


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """`folder` as a disk of its own within this context, made with mount's `options` such as 'size=200k'."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def make_read_only(disk: Path) -> None:
    """Let nobody write on the disk any more."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
