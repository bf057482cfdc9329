"""A film painted from its file to another file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
from torch import Tensor

from ...base.counts import counted
from ...base.files import written_atomically
from ...base.system_errors import write_sentence
from ...models.video.cuts import shot_lengths
from ..errors import FilmError, WriteError
from ..overlap import Behind
from .encoding import SegmentWriter
from .joining import join, recoded_sound
from .painter import FilmPainter
from .reading import Film, Frame
from .steps import LOOKING, MEASURING, PAINTING, OnFilmStep, StepCounter
from .unfinished import FilmProgress, UnfinishedFilm, unfinished_film

# Frames of a segment at most: this many are painted again after a stop. A new segment costs about as much
# space as a frame of its own.
_SEGMENT = 60

# Painted frames that wait to be written.
_BEHIND = 4


def find_shots(film: Film, on_step: OnFilmStep = lambda step: None) -> list[int]:
    """How many frames each shot of the film has. Raises FilmError if it is damaged."""
    steps = StepCounter(on_step, {LOOKING: film.about})

    def thumbnails() -> Iterator[Tensor]:
        for thumbnail in film.thumbnails():
            yield thumbnail
            steps.done(LOOKING)

    return shot_lengths(thumbnails())


def paint_film(
    film: Film,
    target: Path,
    painter_of: Callable[[Sequence[int], Callable[[str], None]], FilmPainter[Frame]],
    settings: Mapping[str, object],
    keep_settings: bool = True,
    on_step: OnFilmStep = lambda step: None,
    on_note: Callable[[str], None] = lambda note: None,
) -> None:
    """Paint `film` and write it to `target`, whose ending decides the format (`CONTAINERS`).

    painter_of(shots, on_step) makes the painter. What is painted so far stays in a hidden folder beside
    `target`, so that the same call goes on after a stop; the result is the same as without a stop. `settings`
    say what belongs together; they are kept in the file, too. The file appears when it is whole.

    Raises FilmError if the film is damaged, its sound is unknown, or another process paints `target`,
    WriteError if something cannot be written, and what the painter raises.
    """
    ending = target.suffix.lower()
    if recoded := recoded_sound(film, ending):
        on_note(
            f"The sound of {film.path} ({recoded[0]}) does not go into a {ending} file; it is encoded anew."
        )
    if film.hdr:
        on_note(
            f"{film.path} is HDR ({film.hdr}) and is painted as it is: the network sees pale colours, and "
            "8 bits may show bands; convert it to SDR first."
        )
    with _write_errors(target), unfinished_film(target, settings) as unfinished:
        # What an earlier call left: the shots, and the segments that are whole.
        shots = unfinished.shots
        if shots is None:
            shots = find_shots(film, on_step)
            unfinished.keep_shots(shots)
        progress = unfinished.progress()
        if not _fits(progress, shots):
            progress = FilmProgress()
        if progress.frames:
            done = f"{progress.frames} of {counted(sum(shots), 'frame')}"
            on_note(f"{film.path}: it goes on where it stopped, after {done}.")
        # The segments that are missing, and then the whole film.
        painter = painter_of(shots, lambda what: steps.done(what))
        first = progress.frames
        frames = {MEASURING: painter.steps(first) - (painter.frames - first), PAINTING: painter.frames}
        read = int(progress.state["reads"]) if progress.state else 0
        steps = StepCounter(on_step, frames, {MEASURING: read, PAINTING: first})
        count = _paint_segments(film, painter, shots, unfinished, progress)
        with written_atomically(target) as temporary:
            kept = settings if keep_settings else None
            join(film, unfinished.segments(count), temporary, ending, kept)


def _paint_segments(
    film: Film,
    painter: FilmPainter[Frame],
    shots: Sequence[int],
    unfinished: UnfinishedFilm,
    progress: FilmProgress,
) -> int:
    """Paint and write all segments that are missing; gives the number of all."""
    ends = list(_segment_ends(shots))
    starts_of_shots = {0, *accumulate(shots)}
    first = progress.frames
    painted = painter.paint(film, first, progress.state)
    with closing(painted):
        for number in range(progress.segments, len(ends)):
            # The thread ends before the segment is abandoned: both would be in FFmpeg's encoder at once.
            with _begun(unfinished.segment(number), film) as segment, Behind[None](_BEHIND) as writing:
                for _ in range(first, ends[number]):
                    frame, picture = next(painted)
                    add = partial(segment.add, _levels(picture), frame.time)
                    _do(writing.add(add))
                first = ends[number]
                state = None if first in starts_of_shots else painter.state()
                _do(writing.add(segment.close))
                _do(writing.all())
            unfinished.keep_progress(FilmProgress(number + 1, first, state))
    return len(ends)


def _fits(progress: FilmProgress, shots: Sequence[int]) -> bool:
    """Whether the segments end where they do today, and a shot that has begun can go on."""
    ends = [0, *_segment_ends(shots)]
    if progress.segments >= len(ends) or progress.frames != ends[progress.segments]:
        return False
    return (progress.state is None) == (progress.frames in (0, *accumulate(shots)))


def _segment_ends(shots: Sequence[int]) -> Iterator[int]:
    start = 0
    for count in shots:
        yield from range(start + _SEGMENT, start + count, _SEGMENT)
        start += count
        yield start


@contextmanager
def _begun(path: Path, film: Film) -> Iterator[SegmentWriter]:
    segment = SegmentWriter(path, film)
    try:
        yield segment
    except BaseException:
        segment.abandon()
        raise


def _do(results: Iterator[None]) -> None:
    for _ in results:
        pass


def _levels(picture: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """[1,3,H,W] in 0..1 -> [H,W,3] in 8 bits."""
    levels = picture[0].mul(255).round().byte().permute(1, 2, 0)
    return np.ascontiguousarray(levels.cpu().numpy())


@contextmanager
def _write_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except FilmError:
        raise
    except (OSError, av.FFmpegError) as error:
        # PyAV's errors have the system's number and words, and are no OSErrors.
        system = error if isinstance(error, OSError) else OSError(error.errno, error.strerror or str(error))
        raise WriteError(write_sentence(target, system)) from error
