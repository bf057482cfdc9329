"""Scene cuts: where a video shows something else from one frame to the next."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from torch import Tensor

from .motion import find_motion

TRUSTED = 0.5
"""Where the motion is trusted less than this, it is not followed."""

# With less than this share of the frame to follow, the scene has been cut.
_FOLLOWED = 0.1

# A mean difference of two frames, in 0..1, below which nothing has been cut. And how many times the
# difference is that of the frames before and after: a flash makes two such differences in a row, and so does
# what moves too fast to be followed.
_SMALLEST = 0.02
_PEAK = 2.0


def is_cut(trust: Tensor) -> bool:
    """Whether hardly anything can be followed; trust [1,1,h,w] as `find_motion` gives it."""
    return bool((trust > TRUSTED).float().mean() < _FOLLOWED)


def shot_lengths(frames: Iterable[Tensor]) -> list[int]:
    """How many frames each shot of a video has; frames [1,3,h,w] in 0..1, all of one size, reduced.

    A cut is a frame that differs from the one before more than its neighbours do among themselves, and in
    which nothing moves along (`is_cut`). Three frames are in memory at a time.
    """
    lengths: list[int] = []
    length = 0
    # Whether a frame begins a shot is known when the next one is there.
    before: Tensor | None = None
    pair: tuple[Tensor, Tensor] | None = None
    last = this = 0.0
    for frame in chain(frames, [None]):
        following = 0.0
        if frame is not None and before is not None:
            following = float((frame - before).abs().mean())
        if pair is not None and this > _SMALLEST and this > _PEAK * max(last, following):
            _, trust = find_motion(*pair)
            if is_cut(trust):
                # The pair's second frame is counted already.
                lengths.append(length - 1)
                length = 1
        if frame is None:
            break
        pair = None if before is None else (before, frame)
        before, last, this = frame, this, following
        length += 1
    return [*lengths, length] if length else lengths
