"""`brushwork encode` of many: one bad picture ends nothing, and no two styles share a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tiny_network import TINY
from torch import Tensor

from brushwork.cli.encode.catalogue import read_catalogue
from brushwork.cli.errors import CommandError
from brushwork.cli.main import main
from brushwork.models.style_file import read_style
from brushwork.models.style_gan import StyleGAN


@pytest.fixture
def encode(tmp_path: Path, capsys):
    StyleGAN(TINY).save(tmp_path / "small.safetensors")

    def run(*arguments: object):
        more = ["--out", str(tmp_path / "out"), "--checkpoint", str(tmp_path / "small.safetensors")]
        code = main(["encode", *map(str, arguments), *more])
        return code, *capsys.readouterr(), sorted(path.name for path in (tmp_path / "out").glob("*"))

    return run


def put(path: Path, color: str = "teal") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 40), color).save(path)
    return path


def test_a_bad_picture_is_told_and_the_rest_is_encoded(encode, tmp_path: Path) -> None:
    put(tmp_path / "art" / "good.png")
    put(tmp_path / "art" / "._good.png")
    (tmp_path / "art" / "bad.png").write_bytes(b"x")
    code, _, error, files = encode(tmp_path / "art")
    assert (code, files) == (1, ["good.safetensors"])
    assert "bad.png is not a picture that can be read; choose a whole picture." in error
    assert "1 hidden picture (._good.png)" in error
    assert encode(tmp_path / "art", "--mix", "--name", "all")[::3] == (
        1,
        ["all.safetensors", "good.safetensors"],
    )


def test_a_picture_that_is_too_large_for_memory_ends_nothing(encode, tmp_path: Path, monkeypatch) -> None:
    put(tmp_path / "art" / "good.png")
    Image.new("RGB", (70, 40), "teal").save(tmp_path / "art" / "large.png")
    read = StyleGAN.encode_style

    def short_of_memory(gan: StyleGAN, image: Tensor, **options: float) -> Tensor:
        if image.shape[-1] == 70:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory")
        return read(gan, image, **options)

    monkeypatch.setattr(StyleGAN, "encode_style", short_of_memory)
    code, _, error, files = encode(tmp_path / "art")
    assert (code, files) == (1, ["good.safetensors"])
    assert "large.png does not fit into memory; scale it down, or close other programs." in error


def test_nothing_that_can_be_read(encode, tmp_path: Path) -> None:
    for name in "ab":
        put(tmp_path / "art" / f"{name}.png").write_bytes(b"x")
    code, out, error, files = encode(tmp_path / "art")
    assert (code, out, files) == (2, "", [])
    assert error.count("is not a picture that can be read") == 2


@pytest.mark.parametrize(
    "names", [("a/wave.png", "b/wave.jpg"), ("Wave.png", "b/wave.png"), ("é.png", "b/e\u0301.png")]
)
def test_overwrite_keeps_pictures_of_one_name_apart(encode, tmp_path: Path, names: tuple[str, str]) -> None:
    first, second = put(tmp_path / names[0], "red"), put(tmp_path / names[1], "blue")
    for _ in range(2):
        code, out, _, files = encode(first, second, first, "--overwrite")
        assert (code, len(files), len(out.splitlines())) == (0, 2, 2)
    assert {read_style(tmp_path / "out" / file).name for file in files} == {first.stem, second.stem}


def test_names_of_devices_and_patterns(encode, tmp_path: Path) -> None:
    put(tmp_path / "art" / "con.png")
    code, _, _, files = encode(tmp_path / "art" / "*.png")
    assert (code, files) == (0, ["_con.safetensors"])


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("c.json", b"[" * 100_000, "c.json is not JSON that can be read; .* too long or deep"),
        ("c.json", b"\xff\xfe[\0]\0", "c.json cannot be read as text; save it as UTF-8"),
        (
            "c.json",
            b'[{"file": ["a.png"], "name": "A"}]',
            r"the column 'file' is \['a.png'\]; give a text",
        ),
        ("c.json", b'[{"file": "' + b"x" * 5000 + b'", "name": "A"}]', r"there is no picture x{60}… in "),
        ("c.json", b'[{"' + b"k" * 5000 + b'": 1}]', r"there is no column 'k{60}…'"),
        ("c.json", b'[{"file": "\\u0000", "name": "A"}]', r"there is no picture \\x00 in "),
        ("c.csv", b"file,name\n" + b"x" * 200_000 + b",A\n", "cannot be read as a table: field larger"),
        ("c.csv", b" " * (17 * 2**20), "is larger than 16 MB"),
        ("c.csv", b"file;name\na.png\n", "the column 'name' is empty"),
    ],
)
def test_catalogues_from_strangers(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    put(tmp_path / "a.png")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CommandError, match=message) as refused:
        read_catalogue(tmp_path / name, [])
    assert len(str(refused.value)) < 400 + len(str(tmp_path)) * 3


def test_catalogues_of_many_entries_are_quick(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    rows = [{"file": "a.png", "name": f"style {n}"} for n in range(3000)]
    (tmp_path / "c.json").write_text(json.dumps(rows))
    assert len(read_catalogue(tmp_path / "c.json", [])) == 3000


def test_a_text_that_is_too_long_for_a_file_ends_nothing(encode, tmp_path: Path) -> None:
    put(tmp_path / "good.png")
    rows = [
        {"file": "good.png", "name": name, "artist": artist}
        for name, artist in (("a", "x" * 1001), ("b", ""))
    ]
    (tmp_path / "all.json").write_text(json.dumps(rows))
    code, _, error, files = encode("--catalogue", tmp_path / "all.json")
    assert (code, files) == (1, ["b.safetensors"])
    assert "its artist is not a text of at most 1000 characters." in error
