"""`brushwork paint`: what it says of arguments and files that it cannot paint."""

from __future__ import annotations

from pathlib import Path

import pytest
from painted_files import files, refused

from brushwork.base.shipped import STYLES_DIR

pytestmark = pytest.mark.usefixtures("slim_loss_network")


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
            "--refine looks at the painting itself, and klimt-kiss is a style, which holds no painting",
        ),
        (("photo.png", "--random", "1", "--refine", "draft"), "and a random style holds no painting"),
        (
            ("photo.png", "--style", "painting.png", "klimt-kiss", "--mix", "--refine"),
            "klimt-kiss is a style, which holds no painting",
        ),
        (
            ("photo.png", "--style", "klimt-kiss", "hokusai-red-fuji", "--out", "one.png"),
            "there are 1 photo and 2 styles; name a folder, or --mix the styles.",
        ),
        (
            ("photo.png", "painting.png", "--style", "klimt-kiss", "--out", "one.png"),
            "--out one.png is one file, and there are 2 photos and 1 style; name a folder.",
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


def test_a_bad_photo_is_told_once_and_the_rest_is_painted(paint, pictures):
    (pictures / "bad.png").write_text("no picture")
    code, out, err = paint("bad.png", "photo.png", "--style", "painting.png", "klimt-kiss")
    assert code == 1
    assert len(out.splitlines()) == 2
    assert err.splitlines() == [
        "brushwork paint: bad.png is not a picture that can be read; choose a whole picture.",
        "Of 4 pictures: 2 painted, 2 failed.",
    ]


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
