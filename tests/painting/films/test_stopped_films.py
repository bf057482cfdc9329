"""After a stop a film goes on and nothing shows; only one process paints it at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from film_clips import decoded
from film_painters import SETTINGS, hidden_files

from brushwork.cli.main import main
from brushwork.painting.errors import FilmError
from brushwork.painting.films import paint
from brushwork.painting.films.options import SteadyOptions
from brushwork.painting.films.paint import paint_film
from brushwork.painting.films.painter import FilmPainter
from brushwork.painting.films.reading import Film
from brushwork.painting.films.steps import LOOKING, MEASURING, PAINTING
from brushwork.painting.films.unfinished import FilmProgress, unfinished_film
from brushwork.painting.stylizer import StylizeOptions


@pytest.fixture(scope="module")
def whole(clip, painter_of, tmp_path_factory):
    """The clip, painted in one go in segments of 2 frames."""
    target = tmp_path_factory.mktemp("whole") / "whole.mp4"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paint, "_SEGMENT", 2)
        paint_film(Film(clip), target, painter_of, SETTINGS)
    return target


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
    assert hidden_files(tmp_path) == [".a.mp4.unfinished"]
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
    assert hidden_files(tmp_path) == []


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
    assert hidden_files(tmp_path) == []


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
    assert hidden_files(tmp_path) == []


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
