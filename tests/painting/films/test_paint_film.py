"""Films are painted like their frames, keep sound and times, and go on after a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from film_clips import decoded, film_frames, packets, write_film
from tiny_network import TINY

from brushwork.cli.main import main
from brushwork.models.style_gan import StyleGAN
from brushwork.models.video.steady import SteadyVideo
from brushwork.painting.errors import FilmError, WriteError
from brushwork.painting.films import paint
from brushwork.painting.films.joining import read_film_settings
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.films.paint import find_shots, paint_film
from brushwork.painting.films.painter import FilmPainter
from brushwork.painting.films.reading import Film
from brushwork.painting.films.steps import LOOKING, MEASURING, PAINTING
from brushwork.painting.films.unfinished import FilmProgress, unfinished_film
from brushwork.painting.stylizer import StylizeOptions

SETTINGS = {"film": "clip", "style": "a"}


@pytest.fixture(scope="module")
def frozen_tiny():
    """Untrained and narrow: most tests here are not about looks."""
    torch.manual_seed(0)
    return StyleGAN(TINY).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def code(frozen_tiny, artwork):
    with torch.inference_mode():
        return frozen_tiny.encode_style(artwork)


def painters(gan, code):
    """Painters of films in one style."""

    def make(shots, on_step, steady=None):
        style = code, ()
        return FilmPainter(
            gan, shots, lambda i: style, StylizeOptions(), steady or SteadyOptions(), on_step=on_step
        )

    return make


@pytest.fixture(scope="module")
def painter_of(frozen_tiny, code):
    return painters(frozen_tiny, code)


@pytest.fixture
def small_segments(monkeypatch):
    monkeypatch.setattr(paint, "_SEGMENT", 2)


@pytest.fixture(scope="module")
def whole(clip, painter_of, tmp_path_factory):
    """The clip, painted in one go in segments of 2 frames."""
    target = tmp_path_factory.mktemp("whole") / "whole.mp4"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paint, "_SEGMENT", 2)
        paint_film(Film(clip), target, painter_of, SETTINGS)
    return target


def sound(path):
    """The samples of a film's sound."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def hidden(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


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
    assert hidden(whole.parent) == []


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


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("stop_at", [(MEASURING, 5), (PAINTING, 5), (MEASURING, 10), (PAINTING, 10)])
def test_after_a_stop_it_goes_on_and_nothing_shows(clip, whole, painter_of, tmp_path, stop_at):
    target = tmp_path / "a.mp4"

    def stop(step):
        assert step.steps == 12
        if (step.what, step.step) == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_film(Film(clip), target, painter_of, SETTINGS, on_step=stop)
    assert not target.exists()
    assert hidden(tmp_path) == [".a.mp4.unfinished"]
    notes, steps = [], []
    paint_film(Film(clip), target, painter_of, SETTINGS, on_step=steps.append, on_note=notes.append)
    # Nobody looks for cuts again.
    assert PAINTING in {step.what for step in steps} <= {MEASURING, PAINTING}
    # The counts are the film's own, also where some frames are painted already.
    assert [step.step for step in steps if step.what == PAINTING][-1] == 12
    assert {step.steps for step in steps if step.what == PAINTING} == {12}
    assert steps[-1].seconds_left == 0
    if stop_at[1] == 10:
        assert len(steps) < 24
        assert f"{clip}: " in notes[0]
        assert "it goes on where it stopped, after " in notes[0]
    assert target.read_bytes() == whole.read_bytes()
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("small_segments")
def test_a_segment_is_not_abandoned_while_a_frame_is_written(clip, frozen_tiny, code, tmp_path, monkeypatch):
    # FFmpeg's encoder must not be closed by one thread while another one is in it.
    written, abandoned = threading.Event(), []

    class Slow(paint.SegmentWriter):
        def add(self, pixels, time_):
            written.clear()
            time.sleep(0.3)
            written.set()

        def abandon(self):
            abandoned.append(written.is_set())
            super().abandon()

    def style(number):
        if number == 1:
            raise KeyboardInterrupt
        return code, ()

    def painter(shots, on_step):
        return FilmPainter(frozen_tiny, shots, style, StylizeOptions(), SteadyOptions("frame"))

    monkeypatch.setattr(paint, "SegmentWriter", Slow)
    with pytest.raises(KeyboardInterrupt):
        paint_film(Film(clip), tmp_path / "a.mp4", painter, SETTINGS)
    assert abandoned == [True]


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


def test_what_other_settings_left_is_not_used(clip, painter_of, tmp_path):
    def stop(step):
        if step.what == PAINTING and step.step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_film(Film(clip), tmp_path / "a.mp4", painter_of, SETTINGS, on_step=stop)
    steps = []
    paint_film(Film(clip), tmp_path / "a.mp4", painter_of, {"film": "other"}, on_step=steps.append)
    assert sum(step.what == LOOKING for step in steps) == 12
    assert sum(step.what == MEASURING for step in steps) == 12
    assert sum(step.what == PAINTING for step in steps) == 12


def test_a_film_that_another_process_paints_is_left_to_it(clip, painter_of, tmp_path):
    target = tmp_path / "a.mp4"
    with unfinished_film(target, SETTINGS) as unfinished:
        unfinished.keep_shots([7, 5])
        with pytest.raises(FilmError, match=rf"a\.mp4 is being painted by process {os.getpid()} on .*; wait"):
            paint_film(Film(clip), target, painter_of, {"film": "other"})
        assert unfinished.shots == [7, 5]
    assert hidden(tmp_path) == []


def test_painters_of_one_film_that_end_and_begin_at_once_do_not_meet(tmp_path):
    """One that began while the folder of another went away had no folder to write to."""
    target = tmp_path / "a.mp4"
    errors, painted = [], []

    def paint_often():
        try:
            while len(painted) < 200:
                try:
                    with unfinished_film(target, SETTINGS) as unfinished:
                        unfinished.segment(0).open("xb").close()
                        painted.append(unfinished.segment(0).stat().st_size)
                except FilmError:  # the other one paints it
                    continue
        except Exception as error:
            errors.append(error)

    painters = [threading.Thread(target=paint_often) for _ in range(3)]
    for painter in painters:
        painter.start()
    for painter in painters:
        painter.join()
    assert errors == []
    assert hidden(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds the name of an open file in /proc")
def test_a_segment_is_on_the_disk_before_the_state_that_counts_it(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda n: done.append(Path(os.readlink(f"/proc/self/fd/{n}")).name))
    with unfinished_film(tmp_path / "a.mp4", SETTINGS) as unfinished:
        unfinished.segment(0).write_bytes(b"film")
        done.clear()
        unfinished.keep_progress(FilmProgress(1, 2))
        assert done[0] == "000000.mp4"
        assert done[1].startswith(".state.safetensors.")


# The real command, with segments so short that a test can stop it between two of them.
COMMAND = """
import sys
from brushwork.cli.main import main
from brushwork.painting.films import paint

paint._SEGMENT = 1
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill -9")
def test_after_kill_9_the_same_command_gives_the_same_film(clip, tmp_path, monkeypatch, capsys):
    def command(folder):
        return ["paint", str(clip), "--style", "hokusai-great-wave", "--out", str(folder)]

    # Only the run that is killed needs a process of its own.
    monkeypatch.setattr(paint, "_SEGMENT", 1)
    assert main(command(tmp_path / "whole")) == 0
    name = "clip__hokusai-great-wave.mp4"
    unfinished = tmp_path / "stopped" / f".{name}.unfinished"
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *command(tmp_path / "stopped")], stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 200
    while not (unfinished / "000002.mp4").exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    assert (unfinished / "state.safetensors").is_file()
    assert not (tmp_path / "stopped" / name).exists()
    capsys.readouterr()
    assert main(command(tmp_path / "stopped")) == 0
    out, err = capsys.readouterr()
    assert out.split(" (")[0] == str(tmp_path / "stopped" / name)
    assert "it goes on where it stopped, after " in err
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == [name]
    painted = tmp_path / "stopped" / name
    assert painted.read_bytes() == (tmp_path / "whole" / name).read_bytes()
    for frame, expected in zip(decoded(painted)[1], decoded(tmp_path / "whole" / name)[1], strict=True):
        assert np.array_equal(frame, expected)
    # As kill -9 leaves it when the film is whole and its folder is not gone yet.
    unfinished.mkdir()
    (unfinished / "000000.mp4").write_bytes(painted.read_bytes())
    unfinished.with_name(f"{unfinished.name}.lock").touch()
    assert main(command(tmp_path / "stopped")) == 0
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == [name]


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
