"""From a film's file to its frames, upright and in RGB, with their times. It needs PyAV (extra `video`)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from av.container import InputContainer
from av.stream import Disposition
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from torch import Tensor

from ...base.system_errors import unreadable
from ...pictures.limits import advice, too_many
from ..errors import FilmError

# FFmpeg's names of the formats that are read. It takes some texts for lists of other files and addresses,
# whatever the file is called, and would open these.
_FORMATS = "mov,matroska,webm,avi,mpeg,mpegts,asf,flv,ogg"

# The longer side of a frame that is looked at for scene cuts.
_THUMBNAIL = 160

# FFmpeg's numbers for what a film says about its colours, and what players take for granted if it does not.
_UNKNOWN, _FULL_RANGE, _BT2020 = 2, 2, 9
_HIGH_DEFINITION = 720
_HDR = {16: "PQ", 18: "HLG"}

# The rate of a film that does not say it.
_USUAL_RATE = Fraction(25)


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of a film: when it is shown, in units of the film's `time_base`.

    pixels [H,W,3] are RGB, uint8, or uint16 where the film has more than 8 bits.
    """

    time: int
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8 | np.uint16]]

    @property
    def tensor(self) -> Tensor:
        """[1,3,H,W] float32 in 0..1."""
        most = np.iinfo(self.pixels.dtype).max
        # PyTorch calculates with few types of integers.
        pixels = torch.from_numpy(self.pixels if most == 255 else self.pixels.astype(np.float32))
        return pixels.permute(2, 0, 1)[None].float().div_(most)


class Film:
    """A film's file. Frames are read anew, one after the other, by each call that gives them.

    size: width and height of the upright frames; time_base: the unit of times in seconds; start: the time of
    the beginning, usually 0; end: the time after the last frame, None where the film does not say it;
    pixel_aspect: width over height of a pixel; primaries and transfer: FFmpeg's
    numbers for the meaning of red, green and blue; hdr: the transfer's name if it is one of HDR, or empty.
    Raises FilmError if the file is no film, is damaged, or has too many pixels.
    """

    def __init__(self, path: Path):
        self.path = path
        with self._opened() as (container, stream):
            context = stream.codec_context
            # Before memory is taken for a frame; what the file says of itself need not be so.
            _check_size(path, context.width, context.height)
            first = next(container.decode(stream), None)
            if first is None or stream.time_base is None:
                raise FilmError(f"{path} has no frames; choose a whole film.")
            _check_size(path, first.width, first.height)
            self.time_base: Fraction = stream.time_base
            self.rate: Fraction = stream.average_rate or stream.guessed_rate or _USUAL_RATE
            self._size = first.width, first.height
            self._turns, self._mirrored = _orientation(first)
            self.size = self._size[::-1] if self._turns % 2 else self._size
            aspect = stream.sample_aspect_ratio or Fraction(1)
            self.pixel_aspect = 1 / aspect if self._turns % 2 else aspect
            self.primaries, self.transfer = int(context.color_primaries), int(context.color_trc)
            self.hdr = _HDR.get(self.transfer, "")
            # Broadcasts count from the beginning of the day.
            seconds = Fraction(max(container.start_time or 0, 0), av.time_base)
            self.start = round(seconds / self.time_base)
            self.end = None if stream.duration is None else (stream.start_time or 0) + stream.duration
            self._about = stream.frames or round(Fraction(container.duration or 0, av.time_base) * self.rate)

    @property
    def about(self) -> int:
        """How many frames there are, as far as the file says so; 0 if it does not."""
        return self._about

    @property
    def usual_duration(self) -> int:
        """How long a frame is shown at the film's average rate."""
        return max(1, round(1 / (self.rate * self.time_base)))

    def frames(self, numbers: Iterable[int]) -> Iterator[Frame]:
        """The frames with these numbers, which grow and begin at 0; it ends early where the film ends.

        Times grow, also where the film's do not. Raises FilmError where the film is damaged.
        """
        wanted = iter(numbers)
        next_one = next(wanted, None)
        before: int | None = None
        if next_one is None:
            return
        for number, frame in enumerate(self._decoded()):
            time = frame.pts
            if before is not None and (time is None or time <= before):
                time = before + (self.usual_duration if time is None else 1)
            before = (time or 0) if before is None else time
            if number == next_one:
                yield Frame(before or 0, self._pixels(frame))
                next_one = next(wanted, None)
                if next_one is None:
                    return

    def thumbnails(self) -> Iterator[Tensor]:
        """All frames [1,3,h,w] in 0..1, reduced and perhaps on their side, for `shot_lengths`."""
        scale = min(1.0, _THUMBNAIL / max(self._size))
        width, height = (max(1, round(side * scale)) for side in self._size)
        for frame in self._decoded():
            small = frame.reformat(width, height, "rgb24", interpolation=Interpolation.AREA)
            yield torch.from_numpy(small.to_ndarray()).permute(2, 0, 1)[None].float().div_(255)

    def open(self) -> InputContainer:
        """The file, for its sound; close it."""
        return open_film(self.path)

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, av.VideoStream]]:
        with told(self.path), self.open() as container:
            # A song's cover is a video stream, too.
            streams = [
                each for each in container.streams.video if not each.disposition & Disposition.attached_pic
            ]
            if not streams:
                raise FilmError(f"{self.path} has no pictures; choose a film.")
            yield container, streams[0]

    def _decoded(self) -> Iterator[av.VideoFrame]:
        with self._opened() as (container, stream):
            stream.thread_type = "AUTO"
            yield from container.decode(stream)

    def _pixels(self, frame: av.VideoFrame) -> np.ndarray:
        deep = any(component.bits > 8 for component in frame.format.components)
        # In a film whose size changes, the first frame's stays.
        rgb = frame.reformat(
            *self._size,
            "rgb48le" if deep else "rgb24",
            src_colorspace=_matrix(frame),
            # RGB has none. Old versions of PyAV look at the source's only if this one is another.
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG if int(frame.color_range) == _FULL_RANGE else ColorRange.MPEG,
        )
        pixels = rgb.to_ndarray()
        return np.ascontiguousarray(np.rot90(np.fliplr(pixels) if self._mirrored else pixels, self._turns))


_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}


def open_film(path: Path) -> InputContainer:
    """A film's file, if its format is one of those that are read. Raises FilmError."""
    with told(path):
        # Old films have titles in other encodings than UTF-8.
        return av.open(f"file:{os.fspath(path)}", options=_OPTIONS, metadata_errors="replace")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn FFmpeg's errors within this context into FilmError, one sentence about the film at `path`."""
    try:
        yield
    except FilmError:
        raise
    except av.FFmpegError as error:
        if isinstance(error, (av.FileNotFoundError, av.PermissionError, av.IsADirectoryError)):
            raise FilmError(unreadable(path, error.strerror)) from error
        reason = " ".join((error.strerror or str(error)).split())[:200]
        raise FilmError(f"{path} is not a film that can be read ({reason}); choose a whole film.") from error


def _check_size(path: Path, width: int, height: int) -> None:
    if words := too_many((width, height)):
        raise FilmError(f"{path} cannot be read: {words} in each frame; {advice()}.")


def _matrix(frame: av.VideoFrame) -> int:
    """How luminance and colour differences become red, green and blue; FFmpeg's number."""
    matrix = int(frame.colorspace)
    if matrix == _UNKNOWN:
        return int(Colorspace.ITU709 if frame.height >= _HIGH_DEFINITION else Colorspace.ITU601)
    return matrix


def _orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """How many quarter turns against the clock make the frame upright, and whether it is mirrored left to
    right before that, as front cameras do."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0, False
    # x' = a x + c y and y' = b x + d y, with y downwards.
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    mirrored = a * d < b * c
    if mirrored:
        a, b = -a, -b
    return round(-math.degrees(math.atan2(b, a)) / 90) % 4, mirrored
