"""Segments joined to one film, with the sound of the original; nothing is encoded here."""

from __future__ import annotations

import heapq
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
from av.container import InputContainer, OutputContainer

from ...models.tensor_file import decode_json
from ...pictures.films import CONTAINERS
from ...pictures.metadata import SETTINGS_KEY
from ..errors import FilmError
from .encoding import FIRST_TIME
from .reading import Film, open_film, told

if TYPE_CHECKING:
    Packet = av.Packet[Any]

# What describes the original's file and not the film.
_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER"}


def recoded_sound(film: Film, ending: str) -> list[str]:
    """The names of the codecs whose sound cannot go as it is into a file with this ending, so that `join`
    encodes it anew. Raises FilmError if nobody can decode it."""
    recoded = []
    with film.open() as source, _container(io.BytesIO(), ending, film.time_base) as container:
        for stream in source.streams.audio:
            if _copied(stream, container) is None:
                context = cast("av.AudioCodecContext | None", stream.codec_context)
                if context is None:
                    raise FilmError(
                        f"The sound of {film.path} is of an unknown kind; convert the film first."
                    )
                recoded.append(context.name)
    return recoded


def join(
    film: Film, segments: Sequence[Path], target: Path, ending: str, settings: Mapping[str, object] | None
) -> None:
    """Write `target`, whose format is that of `ending`: the pictures of `segments`, and all else of `film`.

    That is sound (`recoded_sound` as AAC), subtitles that the format knows, chapters and metadata. Times
    stay, counted from the film's beginning. Raises FilmError for damaged sound, and PyAV's errors for what
    cannot be written.
    """
    with film.open() as source, _container(f"file:{os.fspath(target)}", ending, film.time_base) as container:
        container.metadata.update({k: v for k, v in source.metadata.items() if k not in _OF_THE_FILE})
        if settings is not None:
            container.metadata[SETTINGS_KEY] = json.dumps(settings)
        with av.open(f"file:{os.fspath(segments[0])}") as first:
            pictures = container.add_stream_from_template(first.streams.video[0], opaque=True)
        others: dict[Any, _Copy | _Recoding] = {}
        stream: Any
        for stream in (*source.streams.audio, *source.streams.subtitles):
            copied = _copied(stream, container)
            if copied is not None:
                others[stream] = _Copy(copied)
            elif stream.type == "audio":
                sound = cast(av.AudioStream, container.add_stream("aac", stream.rate))
                # Decoders may know the number of channels and not their names.
                sound.layout = {1: "mono", 2: "stereo"}.get(stream.channels, stream.layout.name)
                others[stream] = _Recoding(sound)
            else:
                continue
            others[stream].stream.metadata.update(stream.metadata)
        if hasattr(source, "chapters"):  # PyAV 16 and later
            container.set_chapters(source.chapters())
        streams = [_picture_packets(film, segments, pictures)]
        if others:
            streams.append(_other_packets(film, source, others))
        for _, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
            container.mux_one(packet)


def read_film_settings(path: Path) -> dict[str, Any] | None:
    """The settings that `join` put into a file; None if it has none or cannot be read."""
    try:
        with told(path), open_film(path) as container:
            # Matroska has capital letters.
            tags = {name.lower(): text for name, text in container.metadata.items()}
        settings = decode_json(tags.get(SETTINGS_KEY, "null"))
    except ValueError:
        return None
    return settings if isinstance(settings, dict) else None


def _container(file: str | io.BytesIO, ending: str, time_base: Fraction) -> OutputContainer:
    kind = CONTAINERS[ending]
    options = {}
    if kind != "matroska":
        # All times in the film's own unit. The beginning of a film that begins late would be rounded to
        # thousandths of a second otherwise.
        unit = time_base.denominator
        options = {"movflags": "use_metadata_tags+faststart", "video_track_timescale": str(unit)}
        if unit > 1000:
            options["movie_timescale"] = str(unit)
    return av.open(file, "w", format=kind, options=options)


def _copied(stream: Any, container: OutputContainer) -> Any:  # noqa: ANN401  # sound or subtitles
    """A stream of `container` for the packets of `stream`; None if they cannot go there."""
    try:
        return container.add_stream_from_template(stream, opaque=True)
    except (ValueError, av.FFmpegError, AttributeError):  # unknown here, or not in this format
        return None


def _picture_packets(
    film: Film, segments: Sequence[Path], stream: av.VideoStream
) -> Iterator[tuple[Fraction, Packet]]:
    # How long a frame is shown follows from the time of the next one.
    before: Packet | None = None
    time = 0
    for packet in chain(_packets_of(segments, film), [None]):
        if before is not None:
            after = film.end if packet is None else packet.pts
            length = film.usual_duration if after is None or after <= time else after - time
            before.duration = length
            before.pts = before.dts = time - film.start
            before.stream = stream
            yield (time - film.start) * film.time_base, before
        before, time = packet, 0 if packet is None else packet.pts or 0


def _packets_of(segments: Sequence[Path], film: Film) -> Iterator[Packet]:
    """The packets of all segments, with the film's times."""
    for segment in segments:
        with av.open(f"file:{os.fspath(segment)}") as container:
            first = int(container.metadata[FIRST_TIME])
            for packet in container.demux(container.streams.video[0]):
                if packet.size:
                    scale = (packet.time_base or film.time_base) / film.time_base
                    packet.pts = first + round((packet.pts or 0) * scale)
                    packet.time_base = film.time_base
                    yield packet


def _other_packets(
    film: Film, source: InputContainer, streams: Mapping[Any, _Copy | _Recoding]
) -> Iterator[tuple[Fraction, Packet]]:
    with told(film.path):
        for packet in source.demux(*streams):
            time_base = packet.time_base or film.time_base
            start = round(film.start * film.time_base / time_base)
            for written in streams[packet.stream].packets(packet, start):
                yield (written.dts or 0) * (written.time_base or time_base), written


class _Copy:
    """Packets as they are."""

    def __init__(self, stream: Any):  # noqa: ANN401  # sound or subtitles
        self.stream = stream

    def packets(self, packet: Packet, start: int) -> Iterator[Packet]:
        """What becomes of a packet if the film begins at `start`."""
        if packet.size and not (packet.dts is None and packet.pts is None):
            pts, dts = packet.pts, packet.dts
            packet.pts = (pts if pts is not None else dts or 0) - start
            packet.dts = (dts if dts is not None else pts or 0) - start
            packet.stream = self.stream
            yield packet


class _Recoding:
    """Sound that is decoded and encoded again."""

    def __init__(self, stream: av.AudioStream):
        self.stream = stream

    def packets(self, packet: Packet, start: int) -> Iterator[Packet]:
        """As those of `_Copy`; the last packet of a stream is empty."""
        for frame in cast("list[av.AudioFrame]", packet.decode()):
            frame.pts = None if frame.pts is None else frame.pts - start
            yield from self.stream.encode(frame)
        if not packet.size:
            yield from self.stream.encode(None)
