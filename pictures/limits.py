"""How many pixels a picture may have, and how many are decoded at once."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

MAX_MEGAPIXELS = 128.0
"""Pictures with more millions of pixels are not read, unless the user allows it: 128 need 2 GB as float32."""

VARIABLE = "BRUSHWORK_MAX_MEGAPIXELS"
"""The environment variable that sets another limit, also for ComfyUI's nodes."""

# From here on Pillow takes a header for a lie: twice its `Image.MAX_IMAGE_PIXELS`, which programs change.
_UNLIKELY = 2 * 89_478_485


# How the limit is raised: by the option of the command that runs, if it has one.
_way = f"the environment variable {VARIABLE}"


@contextmanager
def raised_by(option: str) -> Iterator[None]:
    """Within this context the advice about pictures that are too large names this option, in all threads."""
    global _way
    before, _way = _way, option
    try:
        yield
    finally:
        _way = before


def way_to_raise() -> str:
    """How the limit is raised here, in a few words: for the processes that this one starts."""
    return _way


def advice() -> str:
    """What to do about a picture that has too many pixels, as the end of a sentence."""
    return f"scale it down, or raise the limit with {_way}"


def short_advice() -> str:
    """The same in brackets, for a reason that follows a file's name."""
    return f"({_way} raises that)"


def max_pixels() -> int:
    """The limit in pixels. Raises ValueError, one sentence, for a variable that is no number above 0."""
    text = os.environ.get(VARIABLE, "").strip()
    try:
        millions = float(text) if text else MAX_MEGAPIXELS
    except ValueError:
        millions = math.nan
    if not 0 < millions < math.inf:
        raise ValueError(f"{VARIABLE} is '{text[:40]}'; give millions of pixels, such as 400.")
    return int(millions * 1e6)


def too_many(size: tuple[int, int]) -> str | None:
    """A few words on a picture of this width and height if it has too many pixels, otherwise None."""
    pixels, limit = size[0] * size[1], max_pixels()
    if pixels <= limit:
        return None
    at_most = f"and at most {limit / 1e6:.4g} million are read"
    if pixels > _UNLIKELY:
        return f"it claims more than {_UNLIKELY / 1e6:.0f} million pixels, {at_most}"
    return f"it has {pixels / 1e6:.4g} million pixels, {at_most}"


class _Decoding:
    """The pixels that are being decoded in all threads: not more than one picture may have."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pixels = 0

    @contextmanager
    def room(self, pixels: int) -> Iterator[None]:
        with self._changed:
            # A picture that is alone never waits.
            self._changed.wait_for(lambda: not self._pixels or self._pixels + pixels <= max_pixels())
            self._pixels += pixels
        try:
            yield
        finally:
            with self._changed:
                self._pixels -= pixels
                self._changed.notify_all()


room = _Decoding().room
"""A context in which this many pixels are decoded; it waits while other threads decode too many."""
