"""Films are painted like their frames, and keep their sound, their times and what players need to know."""

from __future__ import annotations

import subprocess
import sys

import av
import numpy as np
import pytest
import torch
from film_clips import decoded, film_frames, packets, write_film
from film_painters import SETTINGS, hidden_files, painters

from brushwork.models.video.steady import SteadyVideo
from brushwork.painting.errors import WriteError
from brushwork.painting.films.joining import read_film_settings
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.films.paint import find_shots, paint_film
from brushwork.painting.films.reading import Film
from brushwork.painting.films.steps import LOOKING, PAINTING


def sound(path):
    """The samples of a film's sound."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def test_the_shots_are_found(clip):
    steps = []
    assert find_shots(Film(clip), steps.append) == [7, 5]
    assert [(step.what, step.step, step.steps) for step in steps] == [(LOOKING, i + 1, 12) for i in range(12)]


@pytest.mark.parametrize("statistics", ["clip", "window", "frame"])
def test_every_shot_is_painted_like_a_video_of_its_own(clip, frozen_tiny, code, painter_of, statistics):
    steady = SteadyOptions(statistics, window=3)
    film, done = Film(clip), []
    painter = painter_of([7, 5], done.append, steady)
    found = torch.cat([picture for _, picture in painter.paint(film)])
    assert len(done) == painter.steps() == (12 if statistics == "frame" else 24)
    assert done.count(PAINTING) == 12
    frames = torch.cat([frame.tensor for frame in film.frames(range(12))])
    with torch.inference_mode():
        for shot in (frames[:7], frames[7:]):
            video = SteadyVideo(frozen_tiny, len(shot), statistics=statistics, window=3)
            for i in video.frames_to_read:
                video.read(shot[i : i + 1], code)
            for i, frame in enumerate(shot.split(1)):
                expected = video.paint(i, frame, code)
                assert (found[:1] - expected).abs().max() < 1e-5
                found = found[1:]


@pytest.mark.usefixtures("small_segments")
def test_a_painted_film(clip, gan, artwork, tmp_path):
    with torch.inference_mode():
        painter_of, whole = painters(gan, gan.encode_style(artwork)), tmp_path / "whole.mp4"
    paint_film(Film(clip), whole, painter_of, SETTINGS)
    times, frames = decoded(whole)
    assert times == decoded(clip)[0]
    painted = [picture for _, picture in painter_of([7, 5], lambda what: None).paint(Film(clip))]
    for frame, picture in zip(frames, painted, strict=True):
        expected = picture[0].permute(1, 2, 0).numpy() * 255
        # The file has half of the colours' resolution.
        assert np.abs(frame.mean(2) - expected.mean(2)).mean() < 4
        assert np.abs(frame - expected).mean() < 12
    assert packets(whole, "audio") == packets(clip, "audio")
    # The last frame is as long as in the original, too.
    assert sum(length for _, length, _ in packets(whole, "video")) == sum(
        length for _, length, _ in packets(clip, "video")
    )
    assert read_film_settings(whole) == SETTINGS
    assert hidden_files(whole.parent) == []


@pytest.mark.parametrize("ending", [".mov", ".mkv"])
def test_other_containers(clip, painter_of, tmp_path, ending):
    target = tmp_path / f"a{ending}"
    paint_film(Film(clip), target, painter_of, SETTINGS)
    # Matroska counts in milliseconds, and from the sound's beginning.
    times, expected = decoded(target)[0], decoded(clip)[0]
    for found, wanted in zip(times, expected, strict=True):
        assert abs((found - times[0]) - wanted) <= 0.001
    assert [data for *_, data in packets(target, "audio")] == [data for *_, data in packets(clip, "audio")]
    assert read_film_settings(target) == SETTINGS


def test_an_odd_size_grows_by_a_pixel(painter_of, tmp_path):
    frames = film_frames((3,), (65, 49))
    path = write_film(tmp_path / "a.mkv", frames, codec="ffv1", options={}, pix_fmt="yuv444p", sound=None)
    paint_film(Film(path), tmp_path / "b.mp4", painter_of, SETTINGS)
    _, found = decoded(tmp_path / "b.mp4")
    assert [frame.shape for frame in found] == [(50, 66, 3)] * 3
    assert np.abs(found[0][:, 65].astype(int) - found[0][:, 64]).mean() < 4


def test_a_film_that_lies_is_painted_upright(painter_of, tmp_path):
    path = write_film(tmp_path / "a.mp4", film_frames((2,)), turned=90, sample_aspect_ratio=2)
    paint_film(Film(path), tmp_path / "b.mp4", painter_of, SETTINGS)
    painted = Film(tmp_path / "b.mp4")
    assert painted.size == (64, 80)
    assert painted.pixel_aspect == 0.5
    assert decoded(tmp_path / "b.mp4")[1][0].shape == (80, 64, 3)


def test_an_hdr_film_stays_hdr_and_a_sentence_says_so(painter_of, tmp_path):
    hdr = {"color_trc": 16, "color_primaries": 9, "colorspace": 9, "pix_fmt": "yuv420p10le"}
    path = write_film(tmp_path / "a.mp4", film_frames((2,)), sound=None, **hdr)
    notes = []
    paint_film(Film(path), tmp_path / "b.mp4", painter_of, SETTINGS, on_note=notes.append)
    assert len(notes) == 1
    assert notes[0].startswith(f"{path} is HDR (PQ) and is painted as it is")
    painted = Film(tmp_path / "b.mp4")
    assert (painted.hdr, painted.primaries) == ("PQ", 9)


def test_without_sound(painter_of, tmp_path):
    path = write_film(tmp_path / "a.mp4", film_frames((2,)), sound=None)
    paint_film(Film(path), tmp_path / "b.mp4", painter_of, SETTINGS)
    assert len(decoded(tmp_path / "b.mp4")[1]) == 2


def test_sound_that_does_not_fit_is_encoded_anew(painter_of, tmp_path):
    path = write_film(tmp_path / "a.avi", film_frames((6,)), sound="wmav2", codec="mpeg4", options={})
    notes = []
    paint_film(Film(path), tmp_path / "b.mkv", painter_of, SETTINGS, on_note=notes.append)
    assert notes == [f"The sound of {path} (wmav2) does not go into a .mkv file; it is encoded anew."]
    loud, found = sound(path), sound(tmp_path / "b.mkv")
    assert abs(len(loud) - len(found)) < 4096
    # A tone of 440 Hz, as loud as before.
    middle = found[4000:12000]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(440 * 8000 / 44100, abs=1)
    assert middle.std() == pytest.approx(loud[4000:12000].std(), rel=0.1)


def test_settings_of_a_strange_file_that_are_nested_without_end_are_none(clip, tmp_path):
    with (
        av.open(str(clip)) as film,
        av.open(str(tmp_path / "a.mkv"), "w", options={"movflags": "use_metadata_tags"}) as strange,
    ):
        strange.metadata["brushwork"] = "[" * 100_000
        stream = strange.add_stream_from_template(film.streams.video[0], opaque=True)
        for packet in film.demux(film.streams.video[0]):
            if packet.size:
                packet.stream = stream
                strange.mux(packet)
    assert read_film_settings(tmp_path / "a.mkv") is None


def test_a_place_that_cannot_be_written(clip, painter_of, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"a\.mp4 cannot be written: Not a directory; name another place\."):
        paint_film(Film(clip), tmp_path / "file" / "a.mp4", painter_of, SETTINGS)


MEMORY = """
import resource, sys
from pathlib import Path
import torch
from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.films.paint import paint_film
from brushwork.painting.films.painter import FilmPainter
from brushwork.painting.films.reading import Film
from brushwork.painting.stylizer import StylizeOptions

torch.set_num_threads(1)
torch.manual_seed(0)
gan = StyleGAN(StyleGANConfig(8, 8, 16, 2, 1, 8, 8, 1, 2, 2, 4, 8)).eval().requires_grad_(False)
code = gan.encode_style(torch.rand(1, 3, 32, 32))
source, target, warm = sys.argv[1:]

def paint(source, target):
    paint_film(
        Film(Path(source)), Path(target),
        lambda shots, on_step: FilmPainter(
            gan, shots, lambda i: (code, ()), StylizeOptions(), SteadyOptions("frame", follow=0),
            on_step=on_step,
        ),
        {},
    )
paint(warm, target + ".warm.mp4")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
paint(source, target)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
def test_memory_does_not_grow_with_the_film(tmp_path):
    """What is kept of the frames before is tested with SteadyVideo; here all else."""
    frames = film_frames((30,), (256, 192))
    short = write_film(tmp_path / "short.mp4", frames)
    long = write_film(tmp_path / "long.mp4", frames * 4)
    command = [sys.executable, "-c", MEMORY, str(long), str(tmp_path / "out.mp4"), str(short)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    # As floats the 90 frames more would take 53 MB, their bytes 13 MB.
    assert int(done.stdout) < 8_000
    assert len(decoded(tmp_path / "out.mp4")[0]) == 120
