"""Films are read upright, in the right colours, with their times; what is no film is told in a sentence."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from film_clips import RATE, film_frames, panned, write_film

from brushwork.painting.errors import FilmError
from brushwork.painting.films.joining import read_film_settings
from brushwork.painting.films.reading import Film

# FFmpeg's numbers for matrices and ranges.
BT709, BT601, FULL = 1, 6, 2


def read(path, numbers=None):
    film = Film(path)
    return film, list(film.frames(range(film.about) if numbers is None else numbers))


def difference(frame, expected):
    return np.abs(frame.pixels.astype(float) - expected).mean()


def test_frames_and_times(tmp_path):
    frames, times = film_frames((4,)), (0, 700, 1700, 2900)
    film, found = read(write_film(tmp_path / "a.mp4", frames, times))
    assert (film.size, film.about, film.start) == ((80, 64), 4, 0)
    assert [frame.time * film.time_base for frame in found] == [Fraction(t, 1000 * RATE) for t in times]
    for frame, expected in zip(found, frames, strict=True):
        assert frame.pixels.dtype == np.uint8
        # Half of the colours' resolution is lost in the file.
        assert difference(frame, expected) < 3
        tensor = frame.tensor
        assert tensor.shape == (1, 3, 64, 80)
        assert torch.equal(tensor[0].permute(1, 2, 0), torch.from_numpy(frame.pixels).float() / 255)


def test_only_the_frames_that_are_asked_for(tmp_path):
    film, found = read(write_film(tmp_path / "a.mp4", film_frames((6,))), [1, 4])
    every = list(film.frames(range(6)))
    assert [frame.time for frame in found] == [every[1].time, every[4].time]
    assert np.array_equal(found[1].pixels, every[4].pixels)
    assert len(list(film.frames(range(100)))) == 6
    assert list(film.frames([])) == []


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [0, 90, 180, -90])
def test_a_film_that_lies_or_is_mirrored_is_upright(tmp_path, turned, mirrored):
    frames = film_frames((2,))
    path = write_film(tmp_path / "a.mp4", frames, turned=turned, mirrored=mirrored, sound=None)
    film, found = read(path)
    expected = np.rot90(frames[0], turned // 90)
    expected = np.fliplr(expected) if mirrored else expected
    assert film.size == expected.shape[1::-1]
    assert found[0].pixels.shape == expected.shape
    assert difference(found[0], expected) < 3


@pytest.mark.parametrize(("transfer", "hdr"), [(16, "PQ"), (18, "HLG"), (1, "")])
def test_hdr_is_known_by_its_transfer(tmp_path, transfer, hdr):
    path = write_film(tmp_path / "a.mp4", film_frames((2,)), sound=None, color_trc=transfer)
    assert Film(path).hdr == hdr


def test_the_pixels_of_a_film_that_lies_are_turned_too(tmp_path):
    wide = {"sample_aspect_ratio": Fraction(4, 3), "sound": None}
    frames = film_frames((2,))
    assert Film(write_film(tmp_path / "a.mp4", frames, **wide)).pixel_aspect == Fraction(4, 3)
    assert Film(write_film(tmp_path / "b.mp4", frames, turned=90, **wide)).pixel_aspect == Fraction(3, 4)


@pytest.mark.parametrize(("size", "pix_fmt"), [((81, 63), "yuv444p"), ((81, 63), "yuv420p")])
def test_odd_sizes(tmp_path, size, pix_fmt):
    frames = panned(0, 2, size)
    path = write_film(tmp_path / "a.mkv", frames, codec="ffv1", options={}, pix_fmt=pix_fmt, sound=None)
    film, found = read(path, range(2))
    assert film.size == size
    assert len(found) == 2
    assert difference(found[1], frames[1]) < 3


def test_ten_bits_are_not_cut_to_eight(tmp_path):
    # A ramp so slow that 8 bits make steps of it.
    ramp = np.broadcast_to(np.linspace(100, 110, 80).astype(np.uint8)[:, None], (64, 80, 3)).copy()
    path = write_film(tmp_path / "a.mkv", [ramp], codec="ffv1", options={}, pix_fmt="yuv444p10le", sound=None)
    _, (frame,) = read(path, [0])
    assert frame.pixels.dtype == np.uint16
    assert np.abs(frame.tensor[0].permute(1, 2, 0).numpy() * 255 - ramp).max() < 1.5
    photo = panned(0, 1, (80, 64))
    path = write_film(tmp_path / "b.mp4", photo, pix_fmt="yuv420p10le", sound=None)
    _, (frame,) = read(path, [0])
    assert np.abs(frame.tensor[0].permute(1, 2, 0).numpy() * 255 - photo[0]).mean() < 3


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize("full", [False, True])
def test_the_film_says_what_its_colours_mean(tmp_path, matrix, full):
    from av import VideoFrame

    red = np.broadcast_to(np.array([220, 40, 30], np.uint8), (64, 80, 3)).copy()
    # Only the label is written by write_film; the pixels are converted here.
    converted = VideoFrame.from_ndarray(red, format="rgb24").reformat(
        format="yuv444p", dst_colorspace=matrix, dst_color_range=FULL if full else 1
    )
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 80, 64, "yuv444p"
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = FULL if full else 1
        converted.pts = 0
        container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    _, (frame,) = read(tmp_path / "a.mp4", [0])
    assert np.abs(frame.pixels.astype(int) - red).max() <= 4


def test_a_large_film_that_says_nothing_has_the_colours_of_television_in_high_definition(tmp_path):
    red = np.broadcast_to(np.array([220, 40, 30], np.uint8), (720, 64, 3)).copy()
    converted = av.VideoFrame.from_ndarray(red, format="rgb24").reformat(
        format="yuv444p", dst_colorspace=BT709, dst_color_range=1
    )
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 720, "yuv444p"
        converted.pts = 0
        container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    _, (frame,) = read(tmp_path / "a.mp4", [0])
    assert np.abs(frame.pixels.astype(int) - red).max() <= 4


def test_times_grow_where_the_film_has_none(tmp_path):
    # Bare H.264 has no times.
    path = write_film(tmp_path / "a.avi", film_frames((5,)), codec="mpeg4", options={}, sound=None)
    _, found = read(path, range(5))
    times = [frame.time for frame in found]
    assert times == sorted(set(times))
    assert len(times) == 5


def text(name):
    return lambda folder: (folder / name).write_text("no film")


def playlist(folder):
    write_film(folder / "secret.mp4", film_frames((2,)))
    (folder / "a.mp4").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.mp4\n#EXT-X-ENDLIST\n"
    )


def half(folder):
    write_film(folder / "whole.mp4", film_frames((4,)))
    (folder / "a.mp4").write_bytes((folder / "whole.mp4").read_bytes()[:3000])


def only_sound(folder):
    with av.open(str(folder / "a.mp4"), "w") as container:
        tone = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, 0
        container.mux(tone.encode(frame))
        container.mux(tone.encode(None))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda folder: None,
            "cannot be read: No such file or directory; name another file, or mend this one.",
        ),
        (
            lambda folder: (folder / "a.mp4").mkdir(),
            "cannot be read: Is a directory; name another file, or mend this one.",
        ),
        (lambda folder: (folder / "a.mp4").touch(), "is not a film that can be read"),
        (text("a.mp4"), "is not a film that can be read"),
        (playlist, "is not a film that can be read"),
        (half, "is not a film that can be read"),
        (only_sound, "has no pictures; choose a film."),
    ],
    ids=["missing", "folder", "empty", "text", "playlist", "half", "sound"],
)
def test_what_is_no_film(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(FilmError) as raised:
        Film(tmp_path / "a.mp4")
    assert str(raised.value).startswith(f"{tmp_path / 'a.mp4'} ")
    assert message in str(raised.value)


def test_too_many_pixels(tmp_path, monkeypatch):
    path = write_film(tmp_path / "a.mp4", film_frames((2,)))
    monkeypatch.setenv("BRUSHWORK_MAX_MEGAPIXELS", "0.005")
    with pytest.raises(FilmError, match=r"it has 0\.00512 million pixels, .* in each frame; scale it down"):
        Film(path)


def test_pixels_that_a_film_only_claims(tmp_path):
    path = write_film(tmp_path / "a.avi", film_frames((2,)), codec="ffv1", sound=None, options={})
    data, claimed = path.read_bytes(), struct.pack("<ii", 80, 64)
    assert claimed in data
    path.write_bytes(data.replace(claimed, struct.pack("<ii", 12_000, 12_000)))
    with pytest.raises(FilmError, match=r"it has 144 million pixels, .* in each frame"):
        Film(path)


@pytest.mark.parametrize("ending", [".avi", ".mkv", ".mp4"])
def test_a_title_that_is_not_utf_8(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Caf_ at night"
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 80, 64, "yuv420p"
        for pixels in film_frames((2,)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert data.count(b"Caf_ at night") == 1
    path.write_bytes(data.replace(b"Caf_", b"Caf\xe9"))
    assert len(list(Film(path).frames(range(2)))) == 2
    assert read_film_settings(path) is None


def test_a_name_is_never_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "a.mp4", film_frames((2,)))
    with pytest.raises(FilmError, match="No such file"):
        Film(Path("concat:a.mp4"))
