"""SIGTERM, a terminal that closes and Ctrl-C end every command in one sentence, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tiny_network import TINY

from brushwork.cli import terminal
from brushwork.cli.main import main
from brushwork.models.style_gan import StyleGAN

ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals to itself")


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "tiny.safetensors"
    StyleGAN(TINY).save(path)
    return str(path)


def end_when_something_is_in(folder: Path, number: int) -> threading.Thread:
    def send() -> None:
        until = time.monotonic() + 60
        while not (folder.is_dir() and any(folder.iterdir())) and time.monotonic() < until:
            time.sleep(0.001)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    return sender


@pytest.mark.parametrize("number", ENDINGS, ids=lambda number: number.name)
@pytest.mark.parametrize("command", ["encode", "paint"])
def test_it_says_that_it_stopped_and_leaves_whole_files(command, number, network, photos, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = [command, *map(str, photos * 40), "--out", str(out), "--checkpoint", network]
    arguments += ["--style", str(photos[0])] if command == "paint" else []
    before = signal.getsignal(number)
    sender = end_when_something_is_in(out, number)
    assert main(arguments) == 130
    sender.join()
    assert capsys.readouterr().err.splitlines()[-1] == f"brushwork {command}: stopped."
    assert signal.getsignal(number) is before
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminal.endings_as_ctrl_c(), terminal.stop_on_signals() as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopped()
            os.kill(os.getpid(), signal.SIGTERM)
            assert stopped()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_answer_of_the_program_stays():
    got: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: got.append(number))
    try:
        with terminal.endings_as_ctrl_c():
            os.kill(os.getpid(), signal.SIGTERM)
        assert got == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
