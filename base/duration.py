"""How long something takes, in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """As a person says it: the two largest units.

    >>> [duration(s) for s in (8, 95, 4000, 200000)]
    ['8 s', '1 min 35 s', '1 h 06 min', '2 d 7 h']
    """
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
