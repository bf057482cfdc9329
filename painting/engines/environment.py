"""What Ray reads from the environment when it is imported."""

from __future__ import annotations

import os


def quiet_ray() -> None:
    """Call it before Ray is imported, so that it prints no lines of its log between those of the command, and
    sends no statistics of its use to its makers. What the user has set stays."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
