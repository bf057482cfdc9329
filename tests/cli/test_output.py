"""Printing never fails: code pages, closed pipes, full disks, names that steer a terminal."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from brushwork.cli.main import main
from brushwork.cli.terminal import complain, tell, unfailing_output

NAMES = [
    "plain",
    "Größe",
    "北斎",
    "[bold]x[/final]",
    "a\x1b[2J\x07b",
    "turn\u202egpj",
    "two\nlines",
    "half\udcff",
]


class Page:
    """Standard streams of another encoding; what was written to them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str):
        self.out, self.err = (io.TextIOWrapper(io.BytesIO(), encoding, write_through=True) for _ in range(2))
        monkeypatch.setattr(sys, "stdout", self.out)
        monkeypatch.setattr(sys, "stderr", self.err)

    def said(self) -> str:
        return "".join(stream.buffer.getvalue().decode(stream.encoding) for stream in (self.out, self.err))


@pytest.fixture
def odd_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "art"
    folder.mkdir()
    for name in NAMES:
        if sys.platform == "win32" and not name.isprintable():
            continue
        try:
            Image.effect_noise((20, 16), 80).save(folder / f"{name}.png")
        except (OSError, UnicodeError):  # not every file system has such names
            continue
    Image.new("RGB", (9, 9)).save(folder / "tiny.png")
    return folder


@pytest.mark.parametrize("encoding", ["cp1252", "cp932", "ascii", "cp437", "utf-8"])
def test_a_report_on_odd_names_on_any_code_page(
    odd_folder: Path, tmp_path: Path, monkeypatch, encoding
) -> None:
    page = Page(monkeypatch, encoding)
    report, sheet = tmp_path / "report.json", tmp_path / "sheet.jpg"
    assert main(["dataset", str(odd_folder), "--json", str(report), "--sheet", str(sheet)]) == 0
    said = page.said()
    assert "tiny.png" in said
    assert not set(said) & {"\x1b", "\x07", "\u202e"}
    names = {picture["name"] for picture in json.loads(report.read_text(encoding="utf-8"))["pictures"]}
    assert names == {path.name for path in odd_folder.iterdir()}
    assert sheet.stat().st_size > 1000


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "FID ↓ …: 北\\x1b \\udcff"),
        ("cp1252", "FID v …: \\u5317\\x1b \\udcff"),
        ("ascii", "FID v ...: \\u5317\\x1b \\udcff"),
        ("cp932", "FID ↓ …: 北\\x1b \\udcff"),
    ],
)
def test_what_a_code_page_lacks_is_said_plainly(monkeypatch, encoding: str, shown: str) -> None:
    page = Page(monkeypatch, encoding)
    with unfailing_output():
        tell("FID ↓ …: 北\x1b \udcff")
        complain("two\nlines")
    assert page.said().splitlines() == [shown, r"two\nlines"]


class Gone(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self) -> None:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("stream", [Gone(), None])
def test_streams_that_are_gone(odd_folder: Path, tmp_path: Path, monkeypatch, stream) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["dataset", str(odd_folder), "--json", str(tmp_path / "report.json")]) == 0
    assert (tmp_path / "report.json").exists()
    assert main(["dataset", str(tmp_path / "gone")]) == 2
    assert sys.stdout is stream


def test_files_are_written_before_anything_is_printed(odd_folder: Path, tmp_path: Path, monkeypatch) -> None:
    report = tmp_path / "report.json"

    class Watching(io.StringIO):
        def write(self, text: str) -> int:
            assert report.exists()
            return super().write(text)

    monkeypatch.setattr(sys, "stdout", Watching())
    assert main(["dataset", str(odd_folder), "--json", str(report)]) == 0
    assert "wrote " in sys.stdout.getvalue()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_file_that_cannot_be_written_takes_no_report_away(odd_folder: Path, capsys) -> None:
    """What is known before the pictures are read is refused before; this shows itself at the end."""
    assert main(["dataset", str(odd_folder), "--json", "/dev/full"]) == 2
    out, error = capsys.readouterr()
    assert "tiny.png" in out
    assert "/dev/full cannot be written: " in error
    assert error.endswith("; make room on the disk.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close in another way there")
def test_a_reader_that_leaves_early(tmp_path: Path) -> None:
    """A process of its own: Python also writes to a closed pipe when it ends."""
    environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", "import sys; from brushwork.cli.main import main; sys.exit(main())"]
    process = subprocess.Popen(
        [*command, "dataset", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    process.stdout.close()
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, b"")
