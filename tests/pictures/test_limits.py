"""Bombs and scans: a sentence instead of gigabytes, and a way to read them after all."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from pathlib import Path

import pytest
from PIL import Image

from brushwork.cli.main import main
from brushwork.dataset.picture_facts import UnreadablePictureError, file_facts
from brushwork.pictures.limits import VARIABLE, max_pixels, room, too_many
from brushwork.pictures.reading import PictureError, read_picture


def png_header(path: Path, width: int, height: int) -> Path:
    """A PNG of so many pixels, grey, without its pixels: no reader may come that far."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + data
        + struct.pack(">I", zlib.crc32(data))
        + b"\0\0\0\0IDAT"
    )
    return path


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (13_000, 12_500, "it has 162.5 million pixels, and at most 128 million are read"),
        (15_000, 12_000, "it claims more than 179 million pixels, and at most 128 million are read"),
        (2**31 - 1, 2**31 - 1, "it claims more than 179 million pixels"),
    ],
)
def test_too_many_pixels_are_one_sentence(tmp_path: Path, width: int, height: int, words: str) -> None:
    path = png_header(tmp_path / "scan.png", width, height)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow warns of the first one
        with pytest.raises(PictureError) as refused:
            read_picture(path)
        with pytest.raises(UnreadablePictureError) as left_out:
            file_facts(path, "scan.png")
    assert str(refused.value).startswith(f"{path} cannot be read: {words}")
    assert str(refused.value).endswith(
        f"; scale it down, or raise the limit with the environment variable {VARIABLE}."
    )
    assert str(left_out.value).startswith(words)
    assert str(left_out.value).endswith(f" are read (the environment variable {VARIABLE} raises that)")


def test_the_limit_can_be_raised_and_lowered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (200, 100)).save(tmp_path / "small.png")
    monkeypatch.setenv(VARIABLE, "0.01")
    with pytest.raises(PictureError, match=r"0\.02 million pixels, and at most 0\.01 million are read"):
        read_picture(tmp_path / "small.png")
    monkeypatch.setenv(VARIABLE, "0.02")
    assert read_picture(tmp_path / "small.png").size == (200, 100)
    # Pillow's own limit is neither in the way nor changed, nor does another program's count.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "small.png").size == (200, 100)
    assert Image.MAX_IMAGE_PIXELS == 100
    monkeypatch.setenv(VARIABLE, "400")
    assert too_many((20_000, 19_000)) is None


@pytest.mark.parametrize("text", ["many", "0", "-3", "nan", "inf", "9" * 500])
def test_limits_that_are_none(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ValueError, match=f"^{VARIABLE} is .*; give millions of pixels, such as 400.$"):
        max_pixels()
    assert main(["dataset", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"brushwork dataset: {VARIABLE} is ")


def test_the_option_of_the_commands(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    Image.effect_noise((200, 100), 60).save(tmp_path / "a.png")
    assert main(["dataset", str(tmp_path), "--max-megapixels", "0.01"]) == 0
    assert "0.02 million pixels" in " ".join(capsys.readouterr().out.split())
    assert main(["dataset", str(tmp_path)]) == 0
    assert "1 (PNG 1)" in capsys.readouterr().out
    assert main(["dataset", str(tmp_path), "--max-megapixels", "0"]) == 2
    assert "--max-megapixels is 0; give millions" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ("dataset", "{folder}"),
        ("encode", "{folder}/a.png", "--out", "{out}"),
        ("evaluate", "--content", "{folder}", "--style", "{folder}"),
        (
            "judge",
            "sheet",
            "--checkpoints",
            "a",
            "b",
            "--content",
            "{folder}",
            "--style",
            "{folder}",
            "--out",
            "{out}",
        ),
        ("paint", "{folder}/a.png", "--style", "hokusai-great-wave", "--out", "{out}"),
        ("train", "--style", "{folder}", "--out", "{out}"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_names_its_own_option(
    tmp_path: Path, capsys, monkeypatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv(VARIABLE, "0.01")
    art = tmp_path / "art"
    art.mkdir()
    Image.effect_noise((200, 100), 60).save(art / "a.png")
    assert main([part.format(folder=art, out=tmp_path / "out") for part in command]) < 3
    said = " ".join("".join(capsys.readouterr()).split())
    assert "million pixels, and at most 0.01 million are read" in said
    assert "--max-megapixels" in said
    assert VARIABLE not in said
    with pytest.raises(PictureError, match=VARIABLE):  # what is no command has no option
        read_picture(art / "a.png")


def test_threads_together_stay_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    running, most, lock = 0, 0, threading.Lock()

    def decode() -> None:
        nonlocal running, most
        with room(400_000):
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.02)
            with lock:
                running -= 1

    threads = [threading.Thread(target=decode) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 2
    with room(5_000_000):  # a picture that is alone never waits
        pass
