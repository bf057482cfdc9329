"""What is known before Ray is imported: which cluster paints, and what Ray reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """Which cluster paints: the one at `address`, 'auto' for the one that runs on this machine; None for one
    on this machine alone, which ends with the painting. A worker without a GPU has `cpus` processors."""

    address: str | None = None
    cpus: int = 2


def quiet_ray() -> None:
    """Call it before Ray is imported, so that it prints no lines of its log between those of the command, and
    sends no statistics of its use to its makers. What the user has set stays."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
