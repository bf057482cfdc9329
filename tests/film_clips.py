"""Short real films for tests: shipped photos that are panned over, with a tone as sound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from brushwork.base.shipped import SHIPPED_INPUTS
from brushwork.pictures.reading import read_picture

RATE = 12
SOUND_RATE = 44100


def panned(photo: int, count: int, size: tuple[int, int]) -> list[np.ndarray]:
    """`count` frames [H,W,3] of a shipped photo that moves a pixel a frame."""
    width, height = size
    paths = sorted(SHIPPED_INPUTS.glob("photo-*.jpg"))
    picture = read_picture(paths[photo % len(paths)]).resize((width + count, height + count))
    pixels = np.asarray(picture)
    return [pixels[i : i + height, i : i + width].copy() for i in range(count)]


def film_frames(shots: Sequence[int] = (7, 5), size: tuple[int, int] = (80, 64)) -> list[np.ndarray]:
    """The frames of a film, each shot of another photo."""
    return [frame for photo, count in enumerate(shots) for frame in panned(photo, count, size)]


def write_film(
    path: Path,
    frames: Sequence[np.ndarray],
    times: Sequence[int] | None = None,
    sound: str | None = "aac",
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    turned: int = 0,
    mirrored: bool = False,
    format: str | None = None,
    **context: Any,
) -> Path:
    """Write `frames` as a film; `times` in thousandths of a frame of the rate 12.

    Players show it `turned` so many degrees against the clock, and `mirrored` left to right after that.
    """
    time_base = Fraction(1, 1000 * RATE)
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec, rate=RATE, options={"crf": "4"} if options is None else options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = time_base
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        if turned or mirrored:
            stream.set_display_rotation(turned, hflip=mirrored)
        tone = container.add_stream(sound, rate=SOUND_RATE) if sound else None
        if tone is not None:
            tone.bit_rate, tone.layout = 64000, "mono"
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = 1000 * i if times is None else times[i], time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            seconds = len(frames) / RATE
            wave = 0.2 * np.sin(np.arange(int(seconds * SOUND_RATE)) * 440 * 2 * np.pi / SOUND_RATE)
            samples = wave.astype(np.float32)[None]
            for start in range(0, samples.shape[1], 1024):
                piece = np.ascontiguousarray(samples[:, start : start + 1024])
                frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = SOUND_RATE, start
                container.mux(tone.encode(frame))
            container.mux(tone.encode(None))
    return path


def packets(path: Path, kind: str) -> list[tuple[int, int, bytes]]:
    """Time, duration and content of all packets of the first stream of this kind."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [
            (packet.pts, packet.duration, bytes(packet)) for packet in container.demux(stream) if packet.size
        ]


def decoded(path: Path) -> tuple[list[Fraction], list[np.ndarray]]:
    """The times in seconds and the frames [H,W,3] of a film, read without Brushwork."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        times = [Fraction(frame.pts) * frame.time_base for frame in frames]
        return times, [frame.to_ndarray(format="rgb24") for frame in frames]
