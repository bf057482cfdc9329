"""The frames of a film, painted steadily, shot by shot."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import accumulate
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from ...models.regions import StyleRegion
from ...models.style_gan import StyleGAN
from ...models.video.steady import SteadyVideo
from ...models.video.steady_strokes import SteadyStrokes
from ..colors import with_colors_of
from ..errors import FilmError
from ..options import StylizeOptions
from ..overlap import ahead
from .options import SteadyOptions
from .steps import MEASURING, PAINTING

# Frames that are decoded before they are painted.
_AHEAD = 2

T = TypeVar("T")

StyleOf = Callable[[int], tuple[Tensor, Sequence[StyleRegion]]]
"""The code [1,L,D] and the regions of the frame of this number."""


class Picture(Protocol):
    """What is painted: `tensor` is [1,3,H,W] in 0..1."""

    @property
    def tensor(self) -> Tensor: ...


P = TypeVar("P", bound=Picture)
P_co = TypeVar("P_co", bound=Picture, covariant=True)


class Frames(Protocol[P_co]):
    """A film, or something like it."""

    def frames(self, numbers: Iterable[int]) -> Iterator[P_co]:
        """The frames of these numbers, which grow."""


class Attempt(Protocol):
    """Does the work on a frame on some device, perhaps again if it fails, and gives its result."""

    def __call__(self, work: Callable[[torch.device], T]) -> T: ...


class FilmPainter(Generic[P]):
    """Paints a film of `shots`, the numbers of their frames; every shot begins afresh.

    `style` gives each frame's style. `attempt` does each frame's work; on_step is called after it
    with MEASURING, for a frame that is read for its statistics, or with PAINTING.
    """

    def __init__(
        self,
        gan: StyleGAN,
        shots: Sequence[int],
        style: StyleOf,
        options: StylizeOptions,
        steady: SteadyOptions,
        attempt: Attempt | None = None,
        on_step: Callable[[str], None] = lambda what: None,
    ):
        self._shots, self._style, self._on_step = shots, style, on_step
        self._starts: list[int] = [0, *accumulate(shots)]
        self._recolor = partial(with_colors_of, preserve_color=options.preserve_color)
        self._attempt = attempt or _on_the_device_of(gan)
        self._gan, self._options, self._steady = gan, options, steady
        self._video: SteadyStrokes | None = None

    @property
    def frames(self) -> int:
        return self._starts[-1]

    def steps(self, first: int = 0) -> int:
        """How many steps there are from frame `first` on, if it begins a shot; about as many if not."""
        shots = self._shots[self._shot_of(first) :]
        return self.frames - first + sum(len(self._video_of(count).frames_to_read) for count in shots)

    def state(self) -> dict[str, Tensor]:
        """What the frames after the last painted one need, if they are of the same shot."""
        return {} if self._video is None else self._video.state()

    @torch.inference_mode()
    def paint(
        self, film: Frames[P], first: int = 0, state: Mapping[str, Tensor] | None = None
    ) -> Generator[tuple[P, Tensor], None, None]:
        """Each frame from `first` on, and its painting [1,3,H,W] in 0..1 on the device.

        If `first` is within a shot, state is what `state` gave after the frame before.
        Raises FilmError if the film ends too early.
        """
        begun = self._shot_of(first) if first < self.frames else len(self._shots)
        reads = 0 if not state else int(state["reads"])
        # The frame before is seen once more, as motion is looked for between it and the next one.
        back = 1 if state else 0
        frames = ahead(film.frames(range(first - back, self.frames)), _AHEAD)
        samples = ahead(film.frames(self._to_read(begun, reads)), 1)
        with closing(frames), closing(samples):
            for shot in range(begun, len(self._shots)):
                start, count = self._starts[shot], self._shots[shot]
                self._video = video = self._video_of(count)
                if state:
                    self._restore(video, state, _next(frames))
                    state = None
                for number in range(max(first, start), start + count):
                    i = number - start
                    while video.reads < video.reads_before(i):
                        self._read(video, start, _next(samples))
                    frame = _next(frames)
                    yield frame, self._paint(video, i, number, frame)

    def _restore(self, video: SteadyStrokes, state: Mapping[str, Tensor], before: P) -> None:
        def restore(device: torch.device) -> None:
            video.restore(state, before.tensor.to(device))

        self._attempt(restore)

    def _read(self, video: SteadyStrokes, start: int, frame: P) -> None:
        code, regions = self._style(start + video.frames_to_read[video.reads])

        def read(device: torch.device) -> None:
            video.read(frame.tensor.to(device), code.to(device), [each.to(device) for each in regions])

        self._attempt(read)
        self._on_step(MEASURING)

    def _paint(self, video: SteadyStrokes, i: int, number: int, frame: P) -> Tensor:
        code, regions = self._style(number)

        def paint(device: torch.device) -> Tensor:
            here = [each.to(device) for each in regions]
            return video.paint(i, frame.tensor.to(device), code.to(device), here, self._recolor)

        painted = self._attempt(paint)
        self._on_step(PAINTING)
        return painted

    def _to_read(self, begun: int, reads: int) -> Iterator[int]:
        """The numbers of the frames to read, from shot `begun` on, where `reads` have been read."""
        for shot in range(begun, len(self._shots)):
            for i in self._video_of(self._shots[shot]).frames_to_read[reads:]:
                yield self._starts[shot] + i
            reads = 0

    def _video_of(self, count: int) -> SteadyStrokes:
        options, steady = self._options, self._steady

        def new_video() -> SteadyVideo:
            return SteadyVideo(
                self._gan,
                count,
                options.strength,
                steady.statistics,
                steady.window,
                steady.follow,
                options.seed,
            )

        return SteadyStrokes(options.stroke_size, options.strokes, new_video)

    def _shot_of(self, number: int) -> int:
        return bisect_right(self._starts, number) - 1


def _next(frames: Iterator[P]) -> P:
    for frame in frames:
        return frame
    raise FilmError("The film ends earlier than it did when it was looked at; paint it again.")


def _on_the_device_of(gan: StyleGAN) -> Attempt:
    device = next(gan.parameters()).device

    def attempt(work: Callable[[torch.device], T]) -> T:
        return work(device)

    return attempt
