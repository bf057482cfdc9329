"""`brushwork paint` with films: alone, beside photos, broken ones, stopped ones."""

from __future__ import annotations

import numpy as np
import pytest
from film_clips import decoded, film_frames, packets, write_film

from brushwork.cli.main import main
from brushwork.painting.films.joining import read_film_settings

STYLE = "hokusai-great-wave"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Two shots of 2 frames, 64x48, with sound; never changed."""
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", film_frames((2, 2), (64, 48)))


@pytest.fixture
def paint(tmp_path, monkeypatch, capsys):
    """`brushwork paint` in an empty folder; gives exit code, output and error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(["paint", *map(str, arguments), "--style", STYLE])
        return code, *capsys.readouterr()

    return run


def test_a_film_goes_to_painted_and_is_skipped_the_next_time(paint, film, tmp_path):
    code, out, err = paint(film)
    name = f"film__{STYLE}.mp4"
    assert (code, err) == (0, "")
    assert out.startswith(f"painted/{name} (")
    painted = tmp_path / "painted" / name
    assert [path.name for path in painted.parent.iterdir()] == [name]
    assert decoded(painted)[0] == decoded(film)[0]
    assert packets(painted, "audio") == packets(film, "audio")
    for frame, photo in zip(decoded(painted)[1], decoded(film)[1], strict=True):
        assert frame.shape == photo.shape
        assert np.abs(frame.astype(int) - photo).mean() > 10
    settings = read_film_settings(painted)
    assert settings["film"]["file"] == "film.mp4"
    assert (settings["statistics"], settings["window"], settings["follow"]) == ("clip", 25, 0.9)
    before = painted.read_bytes()
    assert paint(film) == (0, "", "Of 1 film: 0 painted, 1 skipped, already there.\n")
    # Other settings.
    code, out, err = paint(film, "--follow", "0.5")
    assert (code, out) == (1, "")
    assert "is there already and was not painted from these files with these settings" in err
    assert painted.read_bytes() == before
    assert paint(film, "--follow", "0.5", "--overwrite")[0] == 0
    assert read_film_settings(painted)["follow"] == 0.5


def test_each_pass_counts_the_frames_of_the_film(paint, film, monkeypatch):
    shown: list[tuple[str, int, int]] = []
    monkeypatch.setattr(
        "brushwork.cli.paint.display.PaintDisplay.step",
        lambda display, step, steps, left, what="step": shown.append((what, step, steps)),
    )
    assert paint(film)[0] == 0
    # Two shots of 2 frames: the frames of a shot are measured before they are painted.
    assert shown == [
        *(("looking for cuts, frame", i, 4) for i in (1, 2, 3, 4)),
        *(("measuring light and contrast, frame", i, 4) for i in (1, 2)),
        *(("painting, frame", i, 4) for i in (1, 2)),
        *(("measuring light and contrast, frame", i, 4) for i in (3, 4)),
        *(("painting, frame", i, 4) for i in (3, 4)),
    ]


def test_photos_and_films_of_a_folder_and_a_broken_one(paint, film, pictures, tmp_path):
    (pictures / "films").mkdir()
    another = pictures / "films" / "another.avi"
    write_film(another, film_frames((2,), (48, 40)), codec="mpeg4", options={}, sound="pcm_s16le")
    (pictures / "broken.mp4").write_bytes(film.read_bytes()[:2000])
    code, out, err = paint(pictures, "--out", "out", "--format", "jpg")
    assert code == 1
    names = [f"photo__{STYLE}.jpg", f"painting__{STYLE}.jpg", f"another__{STYLE}.mkv"]
    assert sorted(line.split(" (")[0] for line in out.splitlines()) == sorted(f"out/{n}" for n in names)
    assert f"brushwork paint: {pictures / 'broken.mp4'} is not a film that can be read" in err
    assert err.endswith("Of 4 files: 3 painted, 1 failed.\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    mkv = tmp_path / "out" / f"another__{STYLE}.mkv"
    assert [data for *_, data in packets(mkv, "audio")] == [data for *_, data in packets(another, "audio")]


def test_a_film_beside_a_photo_that_is_refined(tmp_path, film, pictures, monkeypatch, capsys):
    """Films are not refined: each fails alone."""
    monkeypatch.chdir(tmp_path)
    photo, art = pictures / "photo.png", pictures / "painting.png"
    refined = ["--style", str(art), "--refine", "draft", "--steps", "1"]
    assert main(["paint", str(film), str(photo), *refined]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("painted/photo__painting.png (")
    assert err == (
        f"brushwork paint: {film} is a film, and only photos are refined; paint it without refining.\n"
        "Of 2 files: 1 painted, 1 failed.\n"
    )
    assert [path.name for path in (tmp_path / "painted").iterdir()] == ["photo__painting.png"]


def test_one_file(paint, film, tmp_path):
    code, out, err = paint(film, "--out", "mine.mov", "--strength", "0")
    assert (code, err) == (0, "")
    assert out.startswith("mine.mov (")
    # Without any style, the film itself.
    for frame, photo in zip(decoded(tmp_path / "mine.mov")[1], decoded(film)[1], strict=True):
        assert np.abs(frame.astype(int) - photo).mean() < 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FILM", "--refine"], "--refine is for photos, and FILM is a film; leave one of them out."),
        (
            ["FILM", "--out", "a.png"],
            "--out a.png is a picture, and FILM is a film; choose an ending of",
        ),
        (
            ["PHOTO", "--out", "a.mp4"],
            "--out a.mp4 is a film, and PHOTO is a picture; choose an ending",
        ),
        (
            ["FILM", "--out", "a.webm"],
            "--out a.webm: choose a folder, or an ending of .mp4, .m4v, .mov, .mkv.",
        ),
        (["FILM", "--window", "0"], "--window is 0; give a whole number from 1 to 1000."),
        (["FILM", "--follow", "2"], "--follow is 2; give a number from 0 to 1."),
    ],
)
def test_refusals(paint, film, pictures, tmp_path, arguments, message):
    places = {"FILM": str(film), "PHOTO": str(pictures / "photo.png")}
    code, out, err = paint(*(places.get(each, each) for each in arguments))
    for word, path in places.items():
        message = message.replace(word, path)
    assert (code, out) == (2, "")
    assert err.startswith(f"brushwork paint: {message}")
    assert [path for path in tmp_path.iterdir() if path != pictures] == []
