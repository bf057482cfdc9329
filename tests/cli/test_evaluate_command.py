"""`brushwork evaluate`: the table, the files it writes, what it refuses, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image
from tiny_network import TINY

from brushwork.cli.main import main
from brushwork.models.style_gan import StyleGAN


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PyTorch's cache of weights, empty whatever this machine has in its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "hub" / "checkpoints"


@pytest.fixture
def command(inputs_dir: Path, tmp_path: Path) -> list[str]:
    """An evaluation of a small untrained network that takes seconds: 3 photos, 2 paintings."""
    for kind, folder, count in (("photo", "photos", 3), ("art", "art", 2)):
        (tmp_path / folder).mkdir()
        for path in sorted(inputs_dir.glob(f"{kind}-*.jpg"))[:count]:
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    StyleGAN(TINY).save(tmp_path / "small.safetensors")
    return [
        *("evaluate", "--checkpoint", str(tmp_path / "small.safetensors"), "--samples", "4", "--side", "48"),
        *("--content", str(tmp_path / "photos"), "--style", str(tmp_path / "art"), "--device", "cpu"),
    ]


def test_prints_a_table_and_writes_report_and_sheet(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, sheet = tmp_path / "out" / "report.json", tmp_path / "out" / "sheet.jpg"
    assert main([*command, "--seed", "3", "--json", str(report), "--sheet", str(sheet)]) == 0
    said = capsys.readouterr().out
    for part in ("FID to the paintings", "SSIM with the photo", "VGG-19", "Warning: FID and KID compare 4"):
        assert part in said
    assert "4 pairs of 3 photos and 2 paintings, 48 pixels, seed 3, on cpu" in said
    assert "get them with: brushwork evaluate --download lpips" in said
    assert "diversity: The checkpoint stores no style distribution." in said
    record = json.loads(report.read_text(encoding="utf-8"))
    assert record["checkpoint"] == str(tmp_path / "small.safetensors")
    assert (record["options"]["samples"], record["options"]["seed"], record["part"]) == (4, 3, None)
    assert record["scores"]["fid"]["value"] > 0
    with Image.open(sheet) as picture:
        assert picture.format == "JPEG"
        assert picture.height > 4 * 48


def test_a_part_of_a_split_is_evaluated(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {
        kind: sorted(f"{kind}/{p.name}" for p in (tmp_path / kind).iterdir()) for kind in ("photos", "art")
    }
    table = {kind: {"train": [], "val": names[kind], "test": names[kind][:1]} for kind in names}
    (tmp_path / "split.json").write_text(json.dumps(table))
    split = [*command, "--split", str(tmp_path / "split.json")]
    assert main(split) == 0  # test, when nothing else is said
    assert "1 pair of 1 photo and 1 painting" in capsys.readouterr().out
    assert main([*split, "--part", "train"]) == 2
    assert "Of 3 pictures in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--content", "nowhere"], "--content: There is no folder nowhere"),
        (["--split", "lost.json"], "--split lost.json: there is no such file"),
        (["--checkpoint", "lost.safetensors"], "--checkpoint: There is no checkpoint at lost.safetensors"),
        (["--samples", "0"], "evaluate: --samples is 0; give a whole number from 1 to 1000000."),
        (["--side", "8"], "evaluate: --side is 8; give a whole number from 32 to 1024."),
        (["--features", "inception"], "get them with: brushwork evaluate --download inception (95 MB)"),
        (["--sheet", "sheet.gif"], "--sheet sheet.gif: give a name that ends in .png or .jpg"),
        (["--device", "abacus"], "--device abacus cannot be used here"),
        (["--device", "hpu"], "--device hpu cannot be used here; give cpu, cuda or auto."),
        (["--download", "everything"], "--download everything: choose one of inception, lpips"),
    ],
)
def test_one_sentence_when_it_cannot(
    command: list[str], more: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *more]) == 2
    error = capsys.readouterr().err
    assert error.startswith("brushwork evaluate: ")
    assert sentence in error
    assert "Traceback" not in error


def test_both_folders_are_needed(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--content", "photos"]) == 2
    assert "Give both --content DIR, a folder of photos, and --style DIR" in capsys.readouterr().err


def test_download_of_what_is_there_only_says_where(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = cache / "weights-inception-2015-12-05-6726825d.pth"
    cache.mkdir(parents=True)
    file.touch()
    assert main(["evaluate", "--download", "inception"]) == 0
    assert capsys.readouterr().out == f"inception: {file}\n"


def test_missing_torchmetrics_is_one_sentence(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    assert main(command) == 2
    assert "pip install torchmetrics" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="a process cannot send itself Ctrl-C on Windows")
@pytest.mark.parametrize("number", [getattr(signal, each, None) for each in ("SIGINT", "SIGTERM", "SIGHUP")])
def test_ctrl_c_scores_what_was_painted(
    command: list[str], number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)

    def press() -> None:
        while signal.getsignal(number) in (before, signal.default_int_handler):
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    pressed = threading.Thread(target=press, daemon=True)
    pressed.start()
    assert main(command) == 130
    pressed.join()
    said = capsys.readouterr().out
    assert "Stopped after 1 of 4 pairs" in said
    assert "content loss" in said
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("option", ["--json", "--sheet"])
def test_a_place_that_takes_no_file_is_told_before_the_work(
    option: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "file").write_text("")
    for place, said in (("folder.jpg", " is a folder; name a file."), ("file/a.jpg", "file is a file; name")):
        assert main([*command, option, str(tmp_path / place)]) == 2
        out, error = capsys.readouterr()
        assert error.startswith(f"brushwork evaluate: {option} {tmp_path / place}")
        assert said in error
        assert error.count("\n") == 1
        assert out == ""
