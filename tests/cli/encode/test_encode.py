"""`brushwork encode`: pictures, mixes and catalogues become style files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_network import TINY

from brushwork.cli.encode.command import encode_pictures
from brushwork.cli.main import main
from brushwork.models.style_file import read_style, style_fingerprint
from brushwork.models.style_gan import StyleGAN
from brushwork.models.thumbnail import paint_thumbnail
from brushwork.nodes import EncodeStyle
from brushwork.nodes.shared.sockets import ManagedGAN


@pytest.fixture
def encode(tmp_path, capsys):
    """`brushwork encode …`: exit code, standard output, standard error, and the style files by name."""

    def run(*arguments):
        out = tmp_path / "styles"
        code = main(["encode", *map(str, arguments), "--out", str(out)])
        printed, complaint = capsys.readouterr()
        return code, printed, complaint, {p.stem: read_style(p) for p in sorted(out.glob("*.safetensors"))}

    return run


@pytest.fixture
def catalogue(tmp_path, pictures):
    """Write a catalogue of `rows` beside the pictures and return its path."""

    def write(rows, name="catalogue.csv", columns=None):
        path = pictures / name
        if path.suffix == ".json":
            path.write_text(json.dumps(rows), encoding="utf-8")
            return path
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, columns or list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


def refused(result, message):
    code, printed, complaint, styles = result
    assert (code, printed, styles) == (2, "", {})
    assert complaint.startswith("brushwork encode: ")
    assert message in complaint
    assert complaint.count("\n") == 1


def test_a_picture_becomes_a_style(encode, pictures, gan):
    code, printed, complaint, styles = encode(
        pictures / "painting.png", "--artist", "A", "--year", "1900", "--licence", "CC0", "--origin", "attic"
    )
    assert (code, complaint) == (0, "")
    style = styles["painting"]
    assert printed.split()[0].endswith("painting.safetensors")
    texts = (style.name, style.artist, style.year, style.licence, style.origin)
    assert texts == ("painting", "A", "1900", "CC0", "attic")
    assert style.encoder == style_fingerprint(gan)
    assert style.structure_layers == gan.config.structure_layers


def test_the_style_is_the_nodes(encode, inputs_dir, gan):
    with Image.open(inputs_dir / "art-hokusai-great-wave.jpg") as file:
        image = torch.from_numpy(np.array(file.convert("RGB")))[None] / 255
    expected = EncodeStyle.execute(ManagedGAN.manage(gan), image)[0].code[0].detach()
    style = encode(inputs_dir / "art-hokusai-great-wave.jpg")[3]["art-hokusai-great-wave"]
    torch.testing.assert_close(style.code, expected, rtol=2**-11, atol=2**-20)


def test_thumbnails_are_painted(encode, inputs_dir, gan):
    style = encode(inputs_dir / "art-hokusai-great-wave.jpg")[3]["art-hokusai-great-wave"]
    expected = np.asarray(paint_thumbnail(gan, style.code)).astype(float)
    assert np.abs(np.asarray(style.picture()) - expected).mean() < 8


def test_several_pictures_and_folders(encode, pictures):
    _, printed, _, styles = encode(pictures, pictures / "photo.png")
    assert list(styles) == ["painting", "photo", "photo_2"]
    assert len(printed.splitlines()) == 3
    assert torch.equal(styles["photo"].code, styles["photo_2"].code)


def test_overwrite(encode, pictures):
    encode(pictures / "photo.png", "--artist", "first")
    styles = encode(pictures / "photo.png", "--artist", "second", "--overwrite")[3]
    assert {name: style.artist for name, style in styles.items()} == {"photo": "second"}


def test_a_mix_is_the_average(encode, pictures, gan):
    styles = encode(pictures, "--mix", "--name", "Both: a mix")[3]
    assert list(styles) == ["Both_ a mix"]
    assert styles["Both_ a mix"].name == "Both: a mix"
    singles = [encode_pictures(gan, [pictures / name]) for name in ("photo.png", "painting.png")]
    expected = torch.cat(singles).mean(0)
    torch.testing.assert_close(styles["Both_ a mix"].code, expected, rtol=2**-11, atol=2**-20)


def test_another_network(encode, pictures, tmp_path):
    torch.manual_seed(1)
    small = StyleGAN(TINY)
    small.save(tmp_path / "small.safetensors")
    style = encode(pictures / "photo.png", "--checkpoint", tmp_path / "small.safetensors")[3]["photo"]
    assert style.code.shape == (TINY.layers, TINY.code_dim)
    assert style.encoder == style_fingerprint(small)


@pytest.mark.parametrize("name", ["catalogue.csv", "catalogue.json"])
def test_a_catalogue_becomes_a_library(encode, catalogue, name):
    rows = [
        {"file": "photo.png", "name": "Größe, mit Komma", "artist": "Ä. Ö", "year": "1900", "id": ""},
        {"file": "painting.png", "name": "Two", "artist": "", "year": "", "id": "second one"},
    ]
    code, printed, complaint, styles = encode("--catalogue", catalogue(rows, name))
    assert (code, complaint, len(printed.splitlines())) == (0, "", 2)
    assert list(styles) == ["a-o-groe-mit-komma", "second-one"]
    first = next(iter(styles.values()))
    assert (first.name, first.artist, first.year, first.licence) == ("Größe, mit Komma", "Ä. Ö", "1900", "")


def test_a_library_is_replaced_and_strangers_stay(encode, catalogue, tmp_path):
    path = catalogue([{"file": "photo.png", "name": "One"}])
    before = encode("--catalogue", path)[3]
    (tmp_path / "styles" / "one.safetensors").rename(tmp_path / "styles" / "old.safetensors")
    code, printed, complaint, after = encode("--catalogue", path)
    assert (code, len(printed.splitlines()), list(after)) == (0, 1, ["old", "one"])
    assert "old.safetensors is not in the catalogue and was left as it is." in complaint
    encode("--catalogue", path)
    assert torch.equal(after["one"].code, before["one"].code)


def test_a_library_made_again_is_the_same_to_the_byte(encode, catalogue, tmp_path):
    path = catalogue([{"file": "photo.png", "name": "One", "artist": "A", "licence": "CC0"}])
    encode("--catalogue", path)
    first = (tmp_path / "styles" / "a-one.safetensors").read_bytes()
    encode("--catalogue", path)
    assert (tmp_path / "styles" / "a-one.safetensors").read_bytes() == first


def test_catalogue_pictures_may_lie_elsewhere(encode, catalogue, pictures, tmp_path):
    (tmp_path / "far").mkdir()
    (pictures / "photo.png").rename(tmp_path / "far" / "moved.png")
    path = catalogue([{"file": "moved.png", "name": "A"}, {"file": "painting.png", "name": "B"}])
    assert list(encode("--catalogue", path, "--pictures-dir", tmp_path / "far")[3]) == ["a", "b"]


def test_catalogue_pictures_may_lie_in_several_folders(encode, catalogue, pictures, tmp_path, gan):
    for folder in ("near", "far"):
        (tmp_path / folder).mkdir()
    (pictures / "photo.png").rename(tmp_path / "near" / "first.png")
    (pictures / "painting.png").rename(tmp_path / "far" / "second.png")
    path = catalogue([{"file": "first.png", "name": "A"}, {"file": "second.png", "name": "B"}])
    folders = ("--pictures-dir", tmp_path / "near", "--pictures-dir", tmp_path / "far")
    styles = encode("--catalogue", path, *folders)[3]
    for name, picture in (("a", "near/first.png"), ("b", "far/second.png")):
        expected = encode_pictures(gan, [tmp_path / picture])[0]
        torch.testing.assert_close(styles[name].code, expected, rtol=2**-11, atol=2**-20)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"file": "photo.png", "name": "A"}] * 2, "has two styles with the id 'a'"),
        (
            [{"file": "gone.png", "name": "A"}],
            "entry 1: there is no picture gone.png in the catalogue's folder.",
        ),
        ([{"file": "photo.png", "name": " "}], "entry 1: the column 'name' is empty"),
        (
            [{"file": "photo.png", "name": "A", "license": "CC0"}],
            "there is no column 'license'; choose from id",
        ),
    ],
)
def test_catalogues_that_are_wrong(encode, catalogue, rows, message):
    refused(encode("--catalogue", catalogue(rows)), message)


def test_a_picture_that_is_nowhere_says_where_it_was_sought(encode, catalogue):
    path = catalogue([{"file": "gone.png", "name": "A"}])
    refused(encode("--catalogue", path, "--pictures-dir", "."), "gone.png in . or the catalogue's folder.")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "has no entries"),
        ("a.csv", "file,name\nphoto.png,A,B\n", "there is no column 'one too many'"),
        ("a.json", "{not json", "a.json is not JSON: "),
        ("a.json", '{"file": "photo.png"}', "is not a list of objects"),
        ("a.json", "[1]", "is not a list of objects"),
    ],
)
def test_files_that_are_no_catalogue(encode, pictures, name, text, message):
    (pictures / name).write_text(text)
    refused(encode("--catalogue", pictures / name), message)


def test_a_missing_catalogue(encode, tmp_path):
    refused(
        encode("--catalogue", tmp_path / "none.csv"),
        f"encode: --catalogue: {tmp_path / 'none.csv'} cannot be read",
    )


@pytest.mark.parametrize("more", [["photo.png"], ["--mix"], ["--artist", "A"]])
def test_a_catalogue_says_everything(encode, catalogue, more):
    path = catalogue([{"file": "photo.png", "name": "A"}])
    refused(encode(*more, "--catalogue", path), "does not go with --catalogue")


def test_what_is_no_picture(encode, pictures, tmp_path):
    (pictures / "broken.png").write_bytes((pictures / "photo.png").read_bytes()[:99])
    refused(encode(pictures / "broken.png"), "broken.png is not a picture that can be read")
    none = tmp_path / "none.jpg"
    refused(encode(none), f"There is no file or folder {none}; check the name, or give another PICTURE.")
    refused(encode(tmp_path / "*.none"), "*.none finds no picture; give another PICTURE.")
    refused(encode(), "There is no picture to encode; name some, a folder of them, or a --catalogue.")


def test_names_and_mixes(encode, pictures):
    refused(encode(pictures, "--mix"), "say with --name what to call it")
    refused(encode(pictures, "--name", "A"), "--name A names one style, and there are 2 pictures")


def test_a_name_too_long(encode, pictures):
    refused(
        encode(pictures / "photo.png", "--artist", "x" * 1001), "its artist is not a text of at most 1000"
    )


def test_out_that_is_a_file(pictures, capsys):
    assert main(["encode", str(pictures / "photo.png"), "--out", str(pictures / "painting.png")]) == 2
    assert "painting.png is a file; name a folder." in capsys.readouterr().err


def test_a_checkpoint_that_is_none(encode, pictures, tmp_path):
    result = encode(pictures / "photo.png", "--checkpoint", tmp_path / "none.safetensors")
    refused(result, "--checkpoint: There is no checkpoint at ")
