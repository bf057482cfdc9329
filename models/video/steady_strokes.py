"""Steady videos with strokes of any size: one `SteadyVideo` for each size in which the frames are painted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from ..regions import StyleRegion
from ..stroke_size import at_scale, combined, painted_scales, stroke_scale
from .steady import SteadyVideo


class SteadyStrokes:
    """Paints frames as `SteadyVideo` does, whose methods it has, with strokes as `stroke_scale` has them.

    The first frame's size decides, so strokes keep their size.
    """

    def __init__(self, stroke_size: float, strokes: str, new_video: Callable[[], SteadyVideo]):
        """`new_video` gives a SteadyVideo that has read and painted nothing; each call another one."""
        self._stroke_size, self._strokes, self._new_video = stroke_size, strokes, new_video
        self._scales: list[float] = []
        self._videos = [new_video()]

    @property
    def frames_to_read(self) -> list[int]:
        return self._videos[0].frames_to_read

    @property
    def reads(self) -> int:
        return self._videos[0].reads

    def reads_before(self, i: int) -> int:
        """How many of `frames_to_read` must be read before frame i is painted."""
        return self._videos[0].reads_before(i)

    def read(self, frame: Tensor, code: Tensor, regions: Sequence[StyleRegion] = ()) -> None:
        """Keep the statistics of the next of `frames_to_read` [1,3,H,W]."""
        for video, scale in self._in_scales(frame):
            video.read(at_scale(frame, scale), code, regions)

    def paint(
        self,
        i: int,
        frame: Tensor,
        code: Tensor,
        regions: Sequence[StyleRegion] = (),
        recolor: Callable[[Tensor, Tensor], Tensor] = lambda frame, painted: painted,
    ) -> Tensor:
        """Frame i [1,3,H,W] in 0..1 in the style `code` [1,L,D]: [1,3,H,W] in 0..1."""
        paintings = [
            video.paint(i, at_scale(frame, scale), code, regions, recolor)
            for video, scale in self._in_scales(frame)
        ]
        return combined(paintings, (frame.shape[-2], frame.shape[-1]))

    def state(self) -> dict[str, Tensor]:
        """All that the next frames need, as tensors by name; see `restore`."""
        return {
            f"{_prefix(k)}{name}": each
            for k, video in enumerate(self._videos)
            for name, each in video.state().items()
        }

    def restore(self, state: Mapping[str, Tensor], frame: Tensor) -> None:
        """Go on after `frame` [1,3,H,W] with what `state` gave."""
        videos = self._in_scales(frame)
        others = tuple(_prefix(k) for k in range(1, len(videos)))
        for k, (video, scale) in enumerate(videos):
            prefix = _prefix(k)
            own = {
                name.removeprefix(prefix): each
                for name, each in state.items()
                if (name.startswith(prefix) if k else not name.startswith(others))
            }
            video.restore(own, at_scale(frame, scale))

    def _in_scales(self, frame: Tensor) -> list[tuple[SteadyVideo, float]]:
        if not self._scales:
            size = frame.shape[-2], frame.shape[-1]
            self._scales = painted_scales(stroke_scale(self._stroke_size, self._strokes, size))
            self._videos += [self._new_video() for _ in self._scales[1:]]
        return list(zip(self._videos, self._scales, strict=True))


def _prefix(k: int) -> str:
    """Of the state of video k; the first one's is that of a SteadyVideo alone."""
    return f"scale{k}." if k else ""
