"""`brushwork paint`: where the results go, and what is there already."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from painted_files import files, refused
from PIL import Image

from brushwork.pictures.metadata import read_settings

pytestmark = pytest.mark.usefixtures("slim_loss_network")


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


def test_another_seed_leaves_what_is_there(paint, pictures):
    paint("photo.png", "--style", "painting.png")
    code, out, err = paint("photo.png", "--style", "painting.png", "--seed", 1)
    assert (code, out) == (1, "")
    assert "--overwrite replaces it" in err


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


@pytest.mark.parametrize("out", ["x.png/", "x.png/.", "x.gif/", "new/x.mp4//"])
def test_a_folder_that_is_named_like_a_file(paint, pictures, out):
    code, _, err = paint("photo.png", "--style", "klimt-kiss", "--out", out)
    assert (code, err) == (0, "")
    folder = out.rstrip("/.")
    assert files(pictures) == sorted([f"{folder}/photo__klimt-kiss.png", "painting.png", "photo.png"])
    # Several pictures and a format go into it like into every folder.
    more = ("*.png", "--style", "klimt-kiss", "--out", out, "--format", "webp")
    assert paint(*more)[0] == 0
    assert f"{folder}/painting__klimt-kiss.webp" in files(pictures)


def test_a_file_in_the_place_of_a_folder_that_is_named_like_one(paint, pictures):
    (pictures / "x.png").write_text("mine")
    typed = f"x.png{os.sep}"
    refused(
        paint("photo.png", "--style", "klimt-kiss", "--overwrite", "--out", typed),
        f"--out {typed} means a folder, and x.png is a file; name another place.",
    )
    assert (pictures / "x.png").read_text() == "mine"


def test_a_format_for_the_folder(paint, pictures):
    assert paint("*.png", "--style", "library/klimt-kiss", "--format", "webp", "--out", "x")[0] == 0
    assert files(pictures / "x") == ["painting__klimt-kiss.webp", "photo__klimt-kiss.webp"]


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
