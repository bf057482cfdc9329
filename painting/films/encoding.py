"""Painted frames as a film's file that can be joined to others without encoding it again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch
from av.video.reformatter import ColorRange, Colorspace

from ..errors import FilmError
from .reading import Film

FIRST_TIME = "first_time"
"""In the file's metadata: the time of its first frame in the film, in the film's `time_base`."""

_ENCODER = "libx264"
# 17 of 0 to 51 is hardly to be told from the original. Without B-frames a frame's place in the file is that
# of its time, so files follow each other without a gap.
_OPTIONS = {"crf": "17", "preset": "medium"}
if torch.backends.cpu.get_cpu_capability() == "AVX512":
    # One segment in about a thousand came out otherwise from the same frames, and a film that went on after a
    # stop was then not the film without one. Measured in docs/history.md.
    _OPTIONS["x264-params"] = "asm=AVX2"


class SegmentWriter:
    """Writes frames of `film` to the file `path`, as H.264 in MP4, from a frame that stands for itself on.

    An odd width or height grows by a pixel, since H.264's usual format has none. Raises FilmError if PyAV
    has no encoder, and PyAV's errors for what cannot be written.
    """

    def __init__(self, path: Path, film: Film):
        if _ENCODER not in av.codecs_available:
            raise FilmError("This PyAV cannot write H.264; install PyAV from PyPI: pip install av")
        self._container = av.open(
            f"file:{os.fspath(path)}", "w", format="mp4", options={"movflags": "use_metadata_tags"}
        )
        stream = self._container.add_stream(_ENCODER, rate=film.rate, options=_OPTIONS)
        self._stream = cast(av.VideoStream, stream)
        width, height = (side + side % 2 for side in film.size)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._time_base = self._stream.time_base = film.time_base
        context = self._stream.codec_context
        context.time_base = film.time_base
        context.max_b_frames = 0
        context.sample_aspect_ratio = film.pixel_aspect
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = film.primaries, film.transfer
        self._first: int | None = None

    def add(self, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], time: int) -> None:
        """The next frame, RGB [H,W,3], and its time in the film's `time_base`."""
        if self._first is None:
            self._first = time
            self._container.metadata[FIRST_TIME] = str(time)
        height, width = pixels.shape[:2]
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = time - self._first, self._time_base
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left; the file is whole afterwards."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Close the file as it is; it is of no use."""
        self._container.close()
