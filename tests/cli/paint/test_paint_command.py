"""`brushwork paint`, as a user runs it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brushwork.base.shipped import STYLES_DIR
from brushwork.cli.main import main
from brushwork.pictures.metadata import read_settings

pytestmark = pytest.mark.usefixtures("slim_loss_network")


@pytest.fixture
def paint(tmp_path, pictures, monkeypatch, capsys):
    """`brushwork paint …` beside photo.png and painting.png: exit code, output, error."""
    monkeypatch.chdir(pictures)

    def run(*arguments):
        code = main(["paint", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def refused(result, message):
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("brushwork paint: ")
    assert message in err
    assert err.count("\n") == 1


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_photo_in_two_styles_goes_to_painted(paint, pictures):
    code, out, err = paint("photo.png", "--style", "painting.png", "hokusai-great-wave")
    # Without a terminal, too, a line says that all is there.
    assert (code, err) == (0, "Of 2 pictures: 2 painted.\n")
    assert [line.split(" (")[0] for line in out.splitlines()] == [
        os.path.join("painted", name) for name in ("photo__painting.png", "photo__hokusai-great-wave.png")
    ]
    assert files(pictures / "painted") == ["photo__hokusai-great-wave.png", "photo__painting.png"]
    with Image.open(pictures / "painted/photo__painting.png") as image:
        assert (image.format, image.size) == ("PNG", (40, 24))


def test_the_same_again_skips_and_says_so(paint):
    paint("photo.png", "--style", "painting.png")
    code, out, err = paint("photo.png", "--style", "painting.png", "--random", 1)
    assert code == 0
    assert out.startswith(os.path.join("painted", "photo__random-0.png"))
    assert err == "Of 2 pictures: 1 painted, 1 skipped, already there.\n"


def test_other_settings_leave_what_is_there_until_it_may_be_replaced(paint, pictures):
    paint("photo.png", "--style", "painting.png")
    other = ("photo.png", "--style", "painting.png", "--strength", "0.5")
    code, out, err = paint(*other)
    assert (code, out) == (1, "")
    assert "photo__painting.png is there already and was not painted from these files" in err
    assert "1 left, something else is there (--overwrite replaces it)" in err
    code, out, err = paint(*other, "--overwrite")
    assert (code, err) == (0, "")
    assert read_settings(pictures / "painted/photo__painting.png")["strength"] == 0.5


def test_results_are_no_photos(paint, pictures):
    for _ in range(2):
        assert paint(".", "--style", "painting.png")[0] == 0
    assert files(pictures / "painted") == ["painting__painting.png", "photo__painting.png"]


def test_a_folder_of_results_alone_says_so(paint):
    assert paint("photo.png", "--style", "painting.png")[0] == 0
    refused(
        paint("painted/*.png", "--style", "painting.png"),
        "PHOTO painted/*.png finds only what an earlier run painted; give another one, or name such a file ",
    )


def test_results_may_stand_beside_the_photos(paint, pictures):
    assert paint(".", "--style", "klimt-kiss", "--out", ".")[0] == 0
    assert files(pictures) == [
        "painting.png",
        "painting__klimt-kiss.png",
        "photo.png",
        "photo__klimt-kiss.png",
    ]


def test_results_beside_the_photos_are_no_photos_and_no_styles(paint, pictures):
    paint(".", "--style", "painting.png", "--out", ".")
    painted = files(pictures)
    assert len(painted) == 4
    code, _, err = paint(".", "*.*", "--style", "painting.png", "--out", ".")
    assert (code, err) == (0, "Of 2 pictures: 0 painted, 2 skipped, already there.\n")
    code, _, err = paint("photo.png", "--style", ".", "--out", ".")
    assert (code, err) == (0, "Of 2 pictures: 1 painted, 1 skipped, already there.\n")
    assert files(pictures) == sorted([*painted, "photo__photo.png"])
    # A name means what it says.
    assert paint("photo__photo.png", "--style", "painting.png", "--out", ".")[0] == 0


def test_results_in_a_folder_of_paintings_are_no_styles(paint, pictures):
    for _ in range(2):
        assert paint("photo.png", "--style", ".", "--out", "painted")[0] == 0
    assert files(pictures / "painted") == ["photo__painting.png", "photo__photo.png"]


def test_a_folder_in_the_place_of_a_result_ends_nothing(paint, pictures):
    (pictures / "painted/photo__painting.png").mkdir(parents=True)
    code, out, err = paint("photo.png", "--style", "painting.png", "klimt-kiss", "--overwrite")
    assert code == 1
    assert len(out.splitlines()) == 1
    assert "photo__painting.png is a folder, where a file is to be written; move it away" in err


@pytest.mark.parametrize(
    ("ending", "kind"),
    [("png", "PNG"), ("JPG", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP"), ("tif", "TIFF"), ("tiff", "TIFF")],
)
def test_one_file(paint, pictures, ending, kind):
    code, _, err = paint("photo.png", "--style", "painting.png", "--out", f"new/result.{ending}")
    assert (code, err) == (0, "")
    with Image.open(pictures / f"new/result.{ending}") as image:
        assert image.format == kind


def test_tiles_change_nothing_that_is_seen(paint, pictures):
    with Image.open(pictures / "photo.png") as image:
        image.resize((131, 157)).save(pictures / "larger.png")
    for tile in (0, 64):
        out = ("--tile", tile, "--out", f"{tile}.png")
        assert paint("larger.png", "--style", "painting.png", *out)[0] == 0
    whole, tiled = (np.asarray(Image.open(pictures / f"{tile}.png"), int) for tile in (0, 64))
    assert np.abs(whole - tiled).max() <= 1
    assert read_settings(pictures / "0.png") == read_settings(pictures / "64.png")


def test_tiles_of_refining(paint, pictures):
    refine = ("--refine", "draft", "--steps", 2, "--tile", 72, "--out", "refined.png")
    assert paint("photo.png", "--style", "painting.png", *refine)[0] == 0
    assert read_settings(pictures / "refined.png")["refine"]["tile"] == 72


def test_a_format_for_the_folder(paint, pictures):
    assert paint("*.png", "--style", "library/klimt-kiss", "--format", "webp", "--out", "x")[0] == 0
    assert files(pictures / "x") == ["painting__klimt-kiss.webp", "photo__klimt-kiss.webp"]


def test_options_arrive(paint, pictures):
    looks = ("--strength", 0.7, "--preserve-color", "histogram", "--stroke-size", 0.5)
    assert paint("photo.png", "--style", "painting.png", *looks, "--device", "cpu")[0] == 0
    settings = read_settings(pictures / "painted/photo__painting.png")
    assert (settings["strength"], settings["preserve_color"], settings["stroke_size"]) == (
        0.7,
        "histogram",
        0.5,
    )
    assert "refine" not in settings
    refine = ("--refine", "draft", "--steps", 2, "--keep-calm", 3, "--out", "refined.png")
    assert paint("photo.png", "--style", "painting.png", *refine)[0] == 0
    refined = read_settings(pictures / "refined.png")["refine"]
    assert (refined["quality"], refined["steps"], refined["keep_calm"]) == ("draft", 2, 3)
    assert refined["content_weight"] == 1


def test_random_styles_are_told_apart_by_their_seeds(paint, pictures):
    assert paint("photo.png", "--random", 2, "--seed", 8, "--psi", 0.9)[0] == 0
    assert files(pictures / "painted") == ["photo__random-8.png", "photo__random-9.png"]
    assert read_settings(pictures / "painted/photo__random-9.png")["style"] == {"seed": 9, "psi": 0.9}
    first, second = (np.asarray(Image.open(pictures / f"painted/photo__random-{n}.png")) for n in (8, 9))
    assert (first != second).mean() > 0.5


def test_the_seed_chooses_the_strokes(paint, pictures):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        code, _, err = paint("photo.png", "--style", "painting.png", "--seed", seed, "--out", f"{name}.png")
        assert (code, err) == (0, "")
    first, again, other = (np.asarray(Image.open(pictures / f"{name}.png")).astype(int) for name in "abc")
    assert (first == again).all()
    assert np.abs(first - other).mean() > 0.3
    assert [read_settings(pictures / f"{name}.png")["seed"] for name in "ac"] == [5, 6]


def test_one_seed_is_for_strokes_and_random_styles(paint, pictures):
    assert paint("photo.png", "--random", 2, "--seed", 8)[0] == 0
    settings = [read_settings(pictures / f"painted/photo__random-{seed}.png") for seed in (8, 9)]
    assert [each["seed"] for each in settings] == [8, 8]
    assert [each["style"]["seed"] for each in settings] == [8, 9]


def test_another_seed_leaves_what_is_there(paint, pictures):
    paint("photo.png", "--style", "painting.png")
    code, out, err = paint("photo.png", "--style", "painting.png", "--seed", 1)
    assert (code, out) == (1, "")
    assert "--overwrite replaces it" in err


def test_a_mix(paint, pictures):
    code, _, err = paint("photo.png", "--style", "painting.png", "klimt-kiss", "--mix", 1, 3)
    assert (code, err) == (0, "")
    mix = read_settings(pictures / "painted/photo__painting+klimt-kiss.png")["style"]["mix"]
    assert [part["weight"] for part in mix] == [1, 3]
    assert paint("photo.png", "--style", "painting.png", "klimt-kiss", "--mix", "--out", "m.png")[0] == 0
    assert [part["weight"] for part in read_settings(pictures / "m.png")["style"]["mix"]] == [1, 1]


def test_a_bad_photo_is_told_once_and_the_rest_is_painted(paint, pictures):
    (pictures / "bad.png").write_text("no picture")
    code, out, err = paint("bad.png", "photo.png", "--style", "painting.png", "klimt-kiss")
    assert code == 1
    assert len(out.splitlines()) == 2
    assert err.splitlines() == [
        "brushwork paint: bad.png is not a picture that can be read; choose a whole picture.",
        "Of 4 pictures: 2 painted, 2 failed.",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "There is no photo; name some before the options"),
        (
            ("photo.png",),
            "There is no style; give --style with a painting, a style file or the name of a lib",
        ),
        (
            ("none.png", "--style", "painting.png"),
            "There is no file or folder none.png; check the name, or give another PHOTO.",
        ),
        (
            ("photo.png", "--style", "none.png"),
            "--style none.png is no file or folder and no style of the library; check the name; "
            "brushwork styles lists the library.",
        ),
        (("photo.png", "--style", "hokusai"), "did you mean hokusai-great-wave or hokusai-red-fuji?"),
        (("photo.png", "--style", "klimt-kis"), "did you mean klimt-kiss?"),
        (
            ("photo.png", "--style", "klimt-kiss", "--refine"),
            "--refine looks at the painting itself, and klimt-kiss is a style file, which holds no painting",
        ),
        (("photo.png", "--random", "1", "--refine", "draft"), "and a random style holds no painting"),
        (
            ("photo.png", "--style", "painting.png", "klimt-kiss", "--mix", "--refine"),
            "klimt-kiss is a style file, which holds no painting",
        ),
        (
            ("photo.png", "--style", "klimt-kiss", "--stroke-size", "8"),
            "--stroke-size is 8; give a number from 0.25 to 4.",
        ),
        (
            ("photo.png", "--style", "painting.png", "--strength", "2"),
            "paint: --strength is 2; give a number from 0 to 1.",
        ),
        (
            ("photo.png", "--style", "painting.png", "--keep-calm", "1"),
            "--keep-calm is an option of refining",
        ),
        (
            ("photo.png", "--style", "painting.png", "--refine", "--steps", "-1"),
            "paint: --steps is -1; give a whole number from 0 to 100000.",
        ),
        (
            ("photo.png", "--style", "painting.png", "--tile", "20"),
            "--tile is 20; give 64 pixels or more, or 0",
        ),
        (
            ("photo.png", "--style", "painting.png", "--refine", "--tile", "66"),
            "--tile is 66; give a multiple of 8 pixels",
        ),
        (("photo.png", "--style", "painting.png", "--mix", "1", "2"), "--mix has 2 weights for 1 style;"),
        (("photo.png", "--style", "painting.png", "--mix", "-1"), "--mix is -1; give a number of 0 or more."),
        (("photo.png", "--style", "painting.png", "--device", "abacus"), "The device abacus cannot be used"),
        (("photo.png", "--style", "painting.png", "--out", "x.gif"), "choose a folder, or an ending of .png"),
        (("photo.png", "--style", "painting.png", "--out", "x.png", "--format", "jpg"), "leave one out"),
        (("*.png", "--style", "painting.png", "--out", "x.png"), "there are 2 photos and 1 style;"),
        (("*.png", "--style", "painting.png", "--pairs", "zip"), "there are 2 photos and 1 style;"),
        (("photo.png", "--style", "painting.png", "--out", "painting.png"), "is one of the pictures to read"),
        (("photo.png", "--random", "1", "--psi", "3"), "--psi is 3; give a number from 0 to 2."),
        (("photo.png", "--random", "1", "--seed", "-3"), "--seed is -3"),
        (
            ("photo.png", "--style", "painting.png", "--seed", str(2**64)),
            "give a whole number from 0 to 18446744073709551615",
        ),
        (("photo.png", "--random", "-1"), "--random is -1; give a whole number from 1 to 1000."),
        (("photo.png", "--random", "2", "--seed", str(2**64 - 1)), "needs seeds above 18446744073709551615"),
        (("", "--style", "painting.png"), "One PHOTO is empty; give a file, a folder or a pattern."),
        (("photo.png", "--style", "painting.png", "--device", "meta"), "The device meta cannot be used here"),
        (
            ("photo.png", "--style", "painting.png", "--checkpoint", "photo.png"),
            "--checkpoint: photo.png is not a safetensors file",
        ),
    ],
)
def test_refusals(paint, pictures, arguments, message):
    refused(paint(*arguments), message)
    assert files(pictures) == ["painting.png", "photo.png"]


def test_a_style_that_cannot_be_read_names_its_option(paint, pictures):
    (pictures / "broken.jpg").write_bytes(b"no picture")
    half = (STYLES_DIR / "klimt-kiss.safetensors").read_bytes()[:3000]
    (pictures / "half.safetensors").write_bytes(half)
    code, out, err = paint("photo.png", "--style", "broken.jpg", "half.safetensors", "klimt-kiss")
    assert code == 1
    assert [line.split(" (")[0] for line in out.splitlines()] == [str(Path("painted/photo__klimt-kiss.png"))]
    assert "brushwork paint: --style: broken.jpg is not a picture" in err
    assert "brushwork paint: --style: half.safetensors is cut short or damaged" in err
    # A photo is no value of an option.
    code, _, err = paint("broken.jpg", "--style", "klimt-kiss")
    assert code == 1
    assert err.startswith("brushwork paint: broken.jpg is not a picture")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_result_that_is_a_link(paint, pictures):
    (pictures / "gallery").mkdir()
    (pictures / "result.png").symlink_to(Path("gallery") / "kiss.png")
    assert paint("photo.png", "--style", "klimt-kiss", "--out", "result.png")[0] == 0
    assert (pictures / "result.png").is_symlink()
    with Image.open(pictures / "gallery" / "kiss.png") as picture:
        assert picture.size == (40, 24)
    # It is there already.
    assert "1 skipped" in paint("photo.png", "--style", "klimt-kiss", "--out", "result.png")[2]
    # The photo is never written, also not through a link.
    before = (pictures / "photo.png").read_bytes()
    (pictures / "back.png").symlink_to("photo.png")
    refused(
        paint("photo.png", "--style", "klimt-kiss", "--out", "back.png", "--overwrite"),
        "is one of the pictures to read",
    )
    assert (pictures / "photo.png").read_bytes() == before


def test_a_file_in_the_place_of_the_folder(paint, pictures):
    (pictures / "taken").write_text("")
    refused(paint("photo.png", "--style", "painting.png", "--out", "taken"), "--out taken is a file")
    refused(
        paint("photo.png", "--style", "painting.png", "--out", os.path.join("taken", "sub")),
        "cannot be written: Not a directory; name another place.",
    )


def test_style_files_of_a_folder(paint, pictures):
    (pictures / "styles").mkdir()
    for name in ("klimt-kiss", "turner-blue-rigi"):
        source = STYLES_DIR / f"{name}.safetensors"
        (pictures / "styles" / source.name).write_bytes(source.read_bytes())
    (pictures / "styles/art.png").write_bytes((pictures / "painting.png").read_bytes())
    assert paint("photo.png", "--style", "styles", "styles/*.safetensors")[0] == 0
    assert files(pictures / "painted") == [
        f"photo__{name}.png" for name in ("art", "klimt-kiss", "turner-blue-rigi")
    ]


def until(terminal, text, seconds=300):
    """What a program writes to a terminal until `text` comes, or until it ends."""
    seen, deadline = b"", time.monotonic() + seconds
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{text!r} did not come within {seconds} s, only {seen[-500:]!r}"
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # how Linux says that nobody writes any more
            break
    return seen


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal and SIGINT")
def test_ctrl_c_stops_with_nothing_half_left(pictures):
    hide = "sys.modules['rich'] = None"
    code = f"import sys; {hide}; from brushwork.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "paint", "photo.png", "--style", "painting.png", "--out", "o.png"]
    command += ["--refine", "draft", "--steps"]
    terminal, end = os.openpty()
    process = subprocess.Popen([*command, "100000"], cwd=pictures, stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    try:
        seen = until(terminal, b", step")
        process.send_signal(signal.SIGINT)
        seen += until(terminal, b"stopping after what is under way")
        seen += until(terminal, b"paint: stopped.")
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(terminal)
    assert (process.returncode, out) == (130, b"")
    assert b"1 of 1: o.png, step 1 of 100000, " in seen
    assert b"0 of 1 picture is done; the same command goes on from there." in seen
    assert files(pictures) == ["painting.png", "photo.png"]
